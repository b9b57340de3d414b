"""Writes every document; a test fails when one is stale."""

from deploy.documents.table import FOLDER, make_all


def main() -> None:
    for name, text in make_all().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(path.relative_to(FOLDER.parent))


if __name__ == "__main__":
    main()
