// One pair at a time, two players in step, answers kept in this browser until they are saved as a file.
// `study` stands before this script: person, name, pairs, columns, questions, choices.
"use strict";
const APART_S = 0.1;
const key = `emovid-study/${study.name}/${study.pairs.map((pair) => pair.task_id).join()}`;
const kept = JSON.parse(localStorage.getItem(key) || "{}");
const answers = kept.answers || {};
let person = study.person || kept.person || "";
let place = Math.max(0, study.pairs.findIndex((pair) => !answers[pair.task_id]));
let shownAt = 0;
const main = document.querySelector("main");

function made(name, attributes = {}, ...children) {
  const element = Object.assign(document.createElement(name), attributes);
  element.append(...children);
  return element;
}

function keep() {
  localStorage.setItem(key, JSON.stringify({ person, answers }));
}

function inStep(one, other) {
  one.addEventListener("play", () => other.play());
  one.addEventListener("pause", () => other.pause());
  one.addEventListener("seeking", () => {
    if (Math.abs(other.currentTime - one.currentTime) > APART_S) other.currentTime = one.currentTime;
  });
  // Browsers decode two videos each at its own pace: the right one follows the left one.
  one.addEventListener("timeupdate", () => {
    if (one.dataset.leads && !one.paused && Math.abs(other.currentTime - one.currentTime) > APART_S)
      other.currentTime = one.currentTime;
  });
}

function show() {
  main.replaceChildren();
  if (place < 0 || place >= study.pairs.length) return finish();
  const pair = study.pairs[place];
  const [left, right] = ["left", "right"].map((side) =>
    made("video", { id: side, src: pair[side], muted: true, loop: true, controls: true, playsInline: true }),
  );
  left.dataset.leads = "yes";
  inStep(left, right);
  inStep(right, left);
  const chosen = { ...(answers[pair.task_id] || {}) };
  const next = made("button", { id: "next", textContent: "Next", disabled: true });
  const check = () => (next.disabled = !Object.keys(study.questions).every((name) => chosen[name]));
  const questions = Object.entries(study.questions).map(([name, question]) =>
    made(
      "fieldset",
      {},
      made("legend", { textContent: question.replace("{emotion}", pair.asked_emotion) }),
      ...Object.entries(study.choices).map(([value, shown]) => {
        const input = made("input", { type: "radio", name, value, checked: chosen[name] === value });
        input.addEventListener("change", () => {
          chosen[name] = value;
          check();
        });
        return made("label", {}, input, ` ${shown}`);
      }),
    ),
  );
  next.addEventListener("click", () => {
    const before = answers[pair.task_id]?.lead_time_s || 0;
    const lead_time_s = Math.round(before * 1000 + performance.now() - shownAt) / 1000;
    answers[pair.task_id] = { ...chosen, answered_at: new Date().toISOString(), lead_time_s };
    keep();
    place += 1;
    show();
  });
  const back = made("button", { id: "back", textContent: "Back", disabled: place === 0 });
  back.addEventListener("click", () => {
    place -= 1;
    show();
  });
  const skip = made("button", { id: "skip", textContent: "One of the two does not play: skip this pair", hidden: true });
  [left, right].forEach((video) => video.addEventListener("error", () => (skip.hidden = false)));
  skip.addEventListener("click", () => {
    place += 1;
    show();
  });
  main.append(
    made("p", { textContent: `${place + 1} of ${study.pairs.length}. Watch both to the end, then answer each question for itself. No difference is an answer.` }),
    made("div", { className: "pair" }, left, right),
    made("p", { id: "text", textContent: pair.text }),
    made("div", { className: "questions" }, ...questions),
    made("p", {}, back, next, skip),
  );
  check();
  shownAt = performance.now();
  left.play().catch(() => {});
}

function cell(value) {
  const text = String(value ?? "");
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function table() {
  const rows = study.pairs
    .filter((pair) => answers[pair.task_id])
    .map((pair) => ({ ...answers[pair.task_id], task_id: pair.task_id, annotator_id: person, tool: "csv" }));
  return [study.columns, ...rows.map((row) => study.columns.map((name) => row[name]))]
    .map((line) => line.map(cell).join(","))
    .join("\n");
}

function finish() {
  const who = made("input", { id: "person", value: person, disabled: Boolean(study.person) });
  const save = made("button", { id: "save", textContent: "Save the answers" });
  const back = made("button", { textContent: "Back to the last pair" });
  who.addEventListener("input", () => {
    person = who.value.trim();
    keep();
    save.disabled = !person;
  });
  save.disabled = !person;
  save.addEventListener("click", () => {
    const href = URL.createObjectURL(new Blob([`${table()}\n`], { type: "text/csv" }));
    made("a", { href, download: `${study.name}-answers.csv` }).click();
  });
  back.addEventListener("click", () => {
    place = study.pairs.length - 1;
    show();
  });
  const open = study.pairs.filter((pair) => !answers[pair.task_id]).length;
  main.append(
    made("p", { textContent: "Thank you. Save the answers as a file and send it to whoever gave you this page." }),
    ...(open ? [made("p", { id: "open", textContent: `Without an answer: ${open} of ${study.pairs.length} pairs.` })] : []),
    made("p", {}, made("label", {}, "Your name or address ", who)),
    made("p", {}, back, save),
  );
}

if (study.pairs.every((pair) => answers[pair.task_id])) place = study.pairs.length;
show();
