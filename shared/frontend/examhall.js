// Improves pages that already work without it. Nothing here decides anything: the server does.
(() => {
  "use strict";

  const summary = document.querySelector(".govuk-error-summary");
  if (summary) {
    summary.tabIndex = -1;
    summary.focus();
  }

  // A second click within ten seconds is a slip; after that somebody means it.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    mark(form, true);
    setTimeout(() => release(form), 10_000);
  });
  // Coming back with the Back button shows the page as it was left: make its forms usable again.
  addEventListener("pageshow", () => document.querySelectorAll("form").forEach(release));

  function release(form) {
    delete form.dataset.sent;
    mark(form, false);
  }

  function mark(form, busy) {
    for (const button of form.querySelectorAll("button[type=submit]")) {
      if (busy) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
  }

  // Counts from the server's clock: the person's may be wrong, but it runs at the right speed.
  const [load] = performance.getEntriesByType("navigation");
  for (const counter of document.querySelectorAll("[data-countdown]")) {
    const { countdown, now, day, days } = counter.dataset;
    const arrivedAt = load ? load.responseStart : 0;
    let ahead = Date.parse(now) - arrivedAt;
    const left = counter.lastElementChild;
    let counted = false;
    counter.hidden = false;
    const timer = setInterval(tick, 1000);
    tick();

    function tick() {
      const seconds = Math.ceil((Date.parse(countdown) - ahead - performance.now()) / 1000);
      left.textContent = written(Math.max(seconds, 0), day, days);
      if (seconds > 0) return (counted = true);
      clearInterval(timer);
      // Spread over three seconds, so that a crowd does not ask in the same instant; and only
      // after counting down, so that a page about the past does not reload for ever.
      if (counted) setTimeout(() => location.reload(), Math.random() * 3000);
    }

    // A sleeping computer may have stopped counting: ask for the time again.
    document.addEventListener("visibilitychange", async () => {
      if (document.hidden) return;
      const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
      const date = answer && Date.parse(answer.headers.get("Date"));
      if (date) ahead = date - performance.now();
    });
  }

  function written(seconds, day, days) {
    const pad = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(seconds / 3600);
    const clock = (h) => [h, Math.floor(seconds / 60) % 60, seconds % 60].map(pad).join(":");
    if (hours < 24) return clock(hours);
    const text = hours < 48 ? day : days.replace("{days}", Math.floor(hours / 24));
    return text.replace("{clock}", clock(hours % 24));
  }

  // Finds the number that a sign-up asks for; a form without this script waits a minute instead.
  for (const form of document.querySelectorAll("form[data-puzzle]")) solve(form);

  async function solve(form) {
    const { algorithm, challenge, max_number: most, salt, signature } = JSON.parse(form.dataset.puzzle);
    const bytes = new TextEncoder();
    for (let number = 0; number <= most; number++) {
      const digest = await crypto.subtle.digest(algorithm, bytes.encode(salt + number));
      const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
      if (hex.join("") !== challenge) continue;
      const solution = { algorithm, challenge, number, salt, signature };
      return (form.elements.solution.value = btoa(JSON.stringify(solution)));
    }
  }

  // Hands the browser on to a cashier; whoever comes back with the Back button stays here.
  const handOver = document.querySelector("form[data-hand-over]");
  if (handOver && load && load.type === "navigate") handOver.requestSubmit();

  // A waiting page looks again by itself, ever less often, and only while somebody is looking.
  const waiting = document.querySelector("[data-poll]");
  if (waiting) {
    const address = waiting.dataset.pollAt || location.pathname + location.search;
    let pause = Number(waiting.dataset.poll) || 5;
    const look = async () => {
      if (!document.hidden) {
        const answer = await fetch(address).catch(() => null);
        const page = answer && answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page && page.querySelector("[data-poll]");
        if (page && (!fresh || fresh.textContent !== waiting.textContent)) return location.replace(address);
        pause = Math.min(pause * 1.5, 30);
      }
      setTimeout(look, pause * 1000);
    };
    setTimeout(look, pause * 1000);
  }
})();
