"""What only the composed stack can show. .ci/run starts one and names it in the environment."""
