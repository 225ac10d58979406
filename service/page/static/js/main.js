/** Puts the page together: one store, one player, and the modules that show and change them. */

import { Align } from "./align.js";
import { Api } from "./api.js";
import { Corrections } from "./corrections.js";
import { byId } from "./dom.js";
import { Downloads } from "./downloads.js";
import { clock, size } from "./format.js";
import { Gestures } from "./gestures.js";
import { Hypotheses } from "./hypotheses.js";
import { Inspector } from "./inspector.js";
import { Intake } from "./intake.js";
import { askForKey } from "./key-dialog.js";
import { Legends } from "./legends.js";
import { Live } from "./live/live.js";
import { followModelChoice } from "./model-choice.js";
import { Pipeline } from "./pipeline.js";
import { Player } from "./player.js";
import { showProblem } from "./problems.js";
import { N_BEST, Readings } from "./readings.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { Store } from "./store.js";
import { followTabs } from "./tabs.js";
import { firstStyle, followStyle } from "./text-style.js";
import { followTheme } from "./theme.js";
import { Transcript } from "./transcript.js";
import { following } from "./viewport.js";

const store = new Store({
  phase: "empty", // or "working", or "ready"
  model: null,
  recording: null,
  sound: undefined, // null where the browser can't decode it
  matrices: null,
  reading: null,
  baseline: null,
  decoder: "greedy",
  lmWeight: null,
  style: firstStyle(), // "written" or "verbatim"
  original: [], // the reading's words in this style
  tokens: [], // the same with corrections
  alignment: null,
  mode: "read", // or "align"
  view: { start_s: 0, span_s: 1 },
  cursor_s: 0,
  play: { playing: false, at_s: 0 },
  scale: "linear",
  theme: "light",
  tab: "pipeline",
  arrived: 0, // tiles so far
});

const problems = byId("problems");
const api = new Api(askForKey);
const player = new Player(
  (playing, at_s) => {
    const { view, recording } = store.state;
    const along = playing && { cursor_s: at_s, view: following(view, at_s, recording.duration_s) };
    store.set({ play: { playing, at_s }, ...along });
  },
  (problem) => showProblem(problems, problem),
);
const stage = new Stage(store);
const gestures = new Gestures(store, stage, player, byId("lanes"), byId("overview"));
const readings = new Readings(store, api, (error, again) => showProblem(problems, error, again));
const corrections = new Corrections(store);
const session = new Session({
  ...{ store, stage, api, player, readings, corrections, problems },
  nBest: N_BEST,
});

new Inspector(store);
new Transcript(store, player, corrections);
new Hypotheses(store, readings);
new Align(store, api, player);
new Pipeline(store, gestures);
new Downloads(store, api, readings);
new Legends(store);
const live = new Live({ store, api, player, session, problems, isBusy: () => intake.busy });
const intake = new Intake({
  store,
  onFile: (blob, name, text) => session.open(blob, name, text),
  isBusy: () => live.active,
  problems,
});
addEventListener("beforeunload", (event) => {
  if (intake.busy || live.active) event.preventDefault(); // what was said is nowhere else
});
followTabs(store);
followStyle(store);
followModelChoice(store, (name) => session.changeModel(name));
followTheme((theme) => store.set({ theme }));
followButtons();
session.greet();

function followButtons() {
  const click = (id, action) => byId(id).addEventListener("click", action);
  click("play", () => player.toggle());
  click("zoom-in", () => gestures.zoom(1 / 2));
  click("zoom-out", () => gestures.zoom(2));
  click("zoom-fit", () => gestures.fit());
  click("cancel", () => session.giveUp());
  click("forget", () => session.forget());
  click("forget-key", () => {
    api.forgetKey();
    location.reload();
  });
  byId("forget-key").hidden = api.key === "";
  byId("scale").addEventListener("change", (event) => store.set({ scale: event.target.value }));
  store.on(["play", "recording", "sound"], showTransport);
}

function showTransport({ play, recording, sound }) {
  if (!recording) return;
  const button = byId("play");
  button.setAttribute("aria-pressed", String(play.playing));
  button.classList.toggle("playing", play.playing);
  button.toggleAttribute("disabled", !sound);
  byId("time").textContent = `${clock(play.at_s)} / ${clock(recording.duration_s)}`;
  byId("name").textContent = recording.name;
  byId("size").textContent = size(recording.blob.size);
}
