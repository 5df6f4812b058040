/**
 * One training, watched: its stages, how far the training itself is, the losses, what it
 * says, some samples; and how it ended, with what can be done then.
 */

import { confirmed, does, filled } from "../account/section.js";
import { dateOf } from "../dates.js";
import { element } from "../element.js";
import { shownPath } from "../lessons/paths.js";
import { call } from "../server.js";
import { translator } from "../words.js";
import { Curve } from "./curve.js";
import { newsOf } from "./watch.js";

const STAGES = ["check", "generate", "train", "evaluate", "convert", "promote"];
const SAMPLES = 12;
const MOST_LINES = 2000;

/**
 * @param {HTMLElement} host
 * @param {string} id
 * @returns {Promise<() => void>}
 */
export async function showRun(host, id) {
  const view = new RunView(await call("GET", `runs/${encodeURIComponent(id)}`));
  host.append(view.element);
  const leaving = new AbortController();
  view.follow(leaving.signal);
  document.addEventListener("language", () => view.again(), { signal: leaving.signal });
  return () => leaving.abort();
}

class RunView {
  element = element("div", { class: "run" });
  #run;
  #curve = new Curve();
  #outcome = element("div", { class: "outcome" });
  #stages = element("ol", { class: "stages" });
  #said = element("p", { class: "now", role: "status" });
  #bar = element("progress", { max: 1, value: 0, label: "models.progress" });
  #figures = element("p", { class: "hint" });
  #training = element("section", { class: "training", hidden: true });
  #log = element("pre", { class: "file", tabindex: 0, role: "log", label: "models.log" });
  #samples = element("div");
  #face = "";
  /** @type {string[]} */
  #lines = [];
  /** @type {AbortSignal | undefined} */
  #signal;

  /** @param {TrainingRun} run */
  constructor(run) {
    this.#run = run;
    this.#training.append(
      element("h3", { key: "models.training" }),
      this.#bar,
      this.#figures,
      this.#curve.element,
      legend(),
    );
    this.element.append(
      element("a", { class: "back", href: "#/models", key: "models.back" }),
      element(
        "header",
        { class: "top" },
        element("h2", { key: "models.run" }),
        element("p", { class: "path" }, run.id),
      ),
      facts(run),
      this.#outcome,
      this.#stages,
      this.#said,
      this.#training,
      element("details", {}, element("summary", { key: "models.log" }), this.#log),
      this.#samplesPart(),
    );
    this.#show(run);
  }

  /** Say the same in another language. */
  again() {
    this.#show(this.#run);
  }

  /**
   * Watch from the beginning until it ends.
   * @param {AbortSignal} signal
   */
  async follow(signal) {
    this.#lines = [];
    this.#signal = signal;
    for await (const { run, log, state } of newsOf(this.#run.id, signal)) {
      if (run) this.#learn(run);
      if (log) this.#hear(log);
      if (state) this.#show(state);
    }
  }

  /** @param {TrainingRun} run */
  #show(run) {
    this.#run = run;
    const { state, stages } = run;
    this.#stages.hidden = !run.ordered;
    this.#stages.replaceChildren(...STAGES.map((name) => stage(name, run)));
    this.#showOutcome();
    if (state !== "running") {
      this.#said.textContent = "";
      return;
    }
    const name = stages.at(-1);
    if (name) translator.set(this.#said, "models.now", { stage: translator.text(words(name)) });
    else translator.set(this.#said, "models.starting");
  }

  /** Its buttons stay as long as they mean the same: the focus may be on one. */
  #showOutcome() {
    const { state, model, report, error } = this.#run;
    const face = JSON.stringify([state, model, report, error, translator.language]);
    if (face === this.#face) return;
    this.#face = face;
    const focused = this.#outcome.contains(document.activeElement);
    this.#outcome.replaceChildren(...outcome(this.#run, () => this.#goOn()));
    if (focused) this.#outcome.querySelector("button")?.focus();
  }

  #goOn() {
    if (this.#signal) this.follow(this.#signal);
  }

  /** @param {RunEvent} event */
  #learn({ stage, event, step = 0, steps, loss, replay_loss, held_out_loss }) {
    if (stage !== "train") return;
    this.#training.hidden = false;
    if (steps) {
      this.#bar.max = steps;
      this.#curve.expect(steps);
    }
    this.#bar.value = step;
    if (event === "step" && loss !== undefined) {
      this.#curve.add("lessons", step, loss);
      const values = { step, steps: this.#bar.max, loss };
      translator.set(this.#figures, "models.figures", values);
    }
    if (event === "step" && replay_loss) this.#curve.add("replay", step, replay_loss);
    if (event === "epoch" && held_out_loss) this.#curve.add("held", step, held_out_loss);
  }

  /** @param {readonly string[]} lines */
  #hear(lines) {
    this.#lines = [...this.#lines, ...lines].slice(-MOST_LINES);
    const atEnd = this.#log.scrollTop + this.#log.clientHeight >= this.#log.scrollHeight - 8;
    this.#log.textContent = this.#lines.join("\n");
    if (atEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #samplesPart() {
    const part = element(
      "details",
      {},
      element("summary", { key: "models.samples" }),
      this.#samples,
    );
    const path = `runs/${this.#run.id}/samples?limit=${SAMPLES}`;
    part.addEventListener("toggle", () => {
      if (part.open) filled(this.#samples, async () => samples(await call("GET", path)));
    });
    return part;
  }
}

/** @param {string} name */
function words(name) {
  return /** @type {Key} */ (`models.stage.${name}`);
}

/**
 * @param {string} name
 * @param {TrainingRun} run
 */
function stage(name, { stages, state }) {
  const at = stages.indexOf(name);
  const last = at === stages.length - 1 && at >= 0;
  const now = last && state !== "promoted";
  const done = at >= 0 && !now;
  const kind = done ? "done" : now ? (state === "running" ? "current" : "broken") : "to-come";
  const said = done ? "models.stageDone" : now ? "models.stageNow" : "models.stageToCome";
  return element(
    "li",
    { class: kind, ...(kind === "current" && { "aria-current": "step" }) },
    element("span", { key: words(name) }),
    element("span", { class: "unseen", key: said }),
  );
}

/** @param {TrainingRun} run */
function facts({ lessons, by, begun }) {
  const paths = lessons.map((each) => element("li", {}, shownPath(each)));
  const list = element("ul", { class: "taught" }, ...paths);
  const line = element("p", { class: "hint" });
  if (begun) line.append(dateOf(begun, "minute"));
  if (by) line.append(" · ", by);
  const about = lessons.length ? list : element("p", { key: "models.allLessons" });
  return element("div", { class: "about-run" }, line, about);
}

/**
 * @param {TrainingRun} run
 * @param {() => void} again
 */
function outcome(run, again) {
  const { id, state, model, error, report, ordered } = run;
  const elsewhere = state === "unfinished" && !ordered;
  const key = /** @type {Key} */ (`models.state.${elsewhere ? "elsewhere" : state}`);
  const head = element("p", { class: `state ${state}`, key, values: { model } });
  const made = [head];
  const why = error[translator.language] ?? error.en;
  if (why) made.push(element("p", { class: "said" }, why));
  const buttons = element("div", { class: "buttons" });
  if (report) buttons.append(cardLink(`api/runs/${id}/report`));
  if (state === "running") buttons.append(stopping(id));
  else if (ordered && state !== "promoted") buttons.append(...goingOn(run, again));
  return [...made, buttons];
}

/** @param {string} href */
export function cardLink(href) {
  return element("a", { class: "plain", href, target: "_blank", rel: "noopener", key: "models.card" });
}

/** @param {string} id */
function stopping(id) {
  const button = element("button", { type: "button", class: "plain danger", key: "models.stop" });
  return does(button, () => call("POST", `runs/${id}/stop`));
}

/**
 * @param {TrainingRun} run
 * @param {() => void} again
 */
function goingOn({ id, state }, again) {
  const go = async (/** @type {boolean} */ force) => {
    await call("POST", `runs/${id}/continue`, { force });
    again();
  };
  if (state === "refused") {
    const force = element("button", { type: "button", class: "plain danger", key: "models.force" });
    return [
      does(force, async () => {
        const sure = await confirmed("models.forceSure", "models.forceText", "models.force");
        if (sure) await go(true);
      }),
    ];
  }
  const button = element("button", { type: "button", class: "primary", key: "models.goOn" });
  return [does(button, () => go(false))];
}

/** @param {{samples: {messages: {role: string, content: string}[]}[], total: number}} found */
function samples({ samples, total }) {
  if (total === 0) return [element("p", { class: "hint", key: "models.noSamples" })];
  const count = element("p", { class: "hint", key: "models.sampleCount", values: { count: total } });
  return [
    count,
    ...samples.map(({ messages }) =>
      element(
        "article",
        { class: "pair" },
        ...messages
          .filter(({ role }) => role !== "system")
          .map(({ role, content }) =>
            element(role === "user" ? "h4" : "p", { class: "written" }, content),
          ),
      ),
    ),
  ];
}

function legend() {
  const names = ["lessons", "replay", "held"].map((name) =>
    element("li", { class: name, key: /** @type {Key} */ (`models.line.${name}`) }),
  );
  return element("ul", { class: "legend" }, ...names);
}
