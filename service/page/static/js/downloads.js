/** Files to take away, and the command that gets the same without this page. */

import { copy } from "./clipboard.js";
import { canCorrect, correctedFile } from "./corrected-files.js";
import { byId, el, fill, icon } from "./dom.js";
import { showProblem } from "./problems.js";
import { save } from "./save.js";
import { isWritten } from "./tokens.js";

const MOST_PICTURE_S = 60;

/**
 * @typedef {object} File
 * @property {string} name what the button says.
 * @property {string} ending of the file's name.
 * @property {"reading" | "probs" | "features" | "align"} from
 * @property {Record<string, string>} query
 */

/** @type {{title: string, files: File[]}[]} */
const GROUPS = [
  {
    title: "Transcript, as it is shown (TextGrid: as heard)",
    files: [
      { name: "Text", ending: "txt", from: "reading", query: { response_format: "text" } },
      { name: "SubRip", ending: "srt", from: "reading", query: { response_format: "srt" } },
      { name: "WebVTT", ending: "vtt", from: "reading", query: { response_format: "vtt" } },
      {
        name: "TextGrid",
        ending: "TextGrid",
        from: "reading",
        query: { response_format: "textgrid", timestamps: "char" },
      },
      { name: "JSON", ending: "json", from: "reading", query: { response_format: "verbose_json" } },
    ],
  },
  {
    title: "Posteriors P(c | x)",
    files: [
      { name: "NumPy", ending: "probs.npy", from: "probs", query: { format: "npy" } },
      { name: "CSV", ending: "probs.csv", from: "probs", query: { format: "csv" } },
      { name: "JSON", ending: "probs.json", from: "probs", query: { format: "json" } },
      { name: "Picture", ending: "probs.png", from: "probs", query: { format: "png" } },
    ],
  },
  {
    title: "Features X",
    files: [
      { name: "NumPy", ending: "features.npy", from: "features", query: { format: "npy" } },
      { name: "CSV", ending: "features.csv", from: "features", query: { format: "csv" } },
      { name: "Picture", ending: "features.png", from: "features", query: { format: "png" } },
    ],
  },
  {
    title: "Alignment of the text that was typed",
    files: [
      { name: "TextGrid", ending: "aligned.TextGrid", from: "align", query: { response_format: "textgrid" } },
      { name: "SubRip", ending: "aligned.srt", from: "align", query: { response_format: "srt" } },
      { name: "JSON", ending: "aligned.json", from: "align", query: { response_format: "json" } },
      { name: "Picture", ending: "aligned.png", from: "align", query: { response_format: "png" } },
    ],
  },
];

export class Downloads {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./api.js").Api} api
   * @param {import("./readings.js").Readings} readings
   */
  constructor(store, api, readings) {
    Object.assign(this, { store, api, readings });
    this.chosen = GROUPS[0].files[0];
    const [button, line] = [byId("copy-curl"), byId("curl")];
    button.addEventListener("click", () => copy(line.textContent, button, line));
    store.on(["recording", "alignment"], () => this.#build());
    store.on(["decoder", "lmWeight", "view", "alignment", "recording", "tokens"], () => this.#showCurl());
  }

  #build() {
    const { recording, alignment } = this.store.state;
    if (!recording) return;
    const groups = GROUPS.filter(({ files }) => files[0].from !== "align" || alignment);
    fill(
      byId("files"),
      ...groups.map(({ title, files }) =>
        el(
          "section",
          { class: "file-group" },
          el("h4", { text: title }),
          el("div", { class: "file-buttons" }, ...files.map((file) => this.#button(file))),
        ),
      ),
    );
  }

  #button(file) {
    const choose = () => {
      this.chosen = file;
      this.#showCurl();
    };
    return el(
      "button",
      {
        class: "button",
        type: "button",
        "data-file": file.ending,
        on: { click: () => this.#save(file), focus: choose, pointerenter: choose },
      },
      icon("download"),
      file.name,
    );
  }

  /** The query of a file, with the part of the recording that a picture can hold. */
  #query(file) {
    const { recording, view } = this.store.state;
    if (file.from === "reading") return this.#readingQuery(file);
    if (file.from === "align") return file.query;
    const whole = file.query.format !== "png" || recording.duration_s <= MOST_PICTURE_S;
    const to_s = Math.min(view.start_s + Math.min(view.span_s, MOST_PICTURE_S), recording.duration_s);
    const part = whole ? {} : { from_s: view.start_s.toFixed(3), to_s: to_s.toFixed(3) };
    return { ...file.query, ...part };
  }

  /** Only JSON has a place for more than one hypothesis. */
  #readingQuery(file) {
    const { n_best, ...query } = this.readings.query;
    const { reading, style } = this.store.state;
    return {
      ...query,
      ...(isWritten(reading) && style === "verbatim" ? { style } : {}),
      ...(file.query.response_format === "verbose_json" && n_best ? { n_best } : {}),
      ...file.query,
    };
  }

  async #save(file) {
    const place = byId("download-problem");
    this.chosen = file;
    this.#showCurl();
    try {
      const answer =
        file.from === "align" ? await this.#align(file) : await this.api.fetch(this.#address(file));
      this.#offer(this.#isCorrected(file) ? await this.#corrected(file, answer) : await answer.blob(), file);
    } catch (error) {
      showProblem(place, error, () => this.#save(file));
    }
  }

  #address(file) {
    const { id } = this.store.state.recording;
    const query = this.#query(file);
    if (file.from === "reading") return this.api.address(`transcriptions/${id}/reading`, query);
    return this.api.address(file.from, { id, ...query });
  }

  #align(file) {
    const { recording, alignedText } = this.store.state;
    const form = new FormData();
    form.set("file", recording.blob, recording.name);
    form.set("text", alignedText);
    form.set("response_format", file.query.response_format);
    form.set("model", recording.model);
    return this.api.fetch(this.api.address("align"), { method: "POST", body: form });
  }

  /** Whether a file has words that somebody corrected here. */
  #isCorrected(file) {
    const { tokens } = this.store.state;
    const corrected = tokens.some(({ original }) => original !== undefined);
    return file.from === "reading" && corrected && canCorrect(file.query.response_format);
  }

  async #corrected(file, answer) {
    const { tokens } = this.store.state;
    const type = answer.headers.get("Content-Type");
    return new Blob([correctedFile(file.query.response_format, await answer.text(), tokens)], { type });
  }

  #offer(blob, { ending }) {
    const stem = this.store.state.recording.name.replace(/\.[^.]*$/, "");
    save(blob, `${stem}.${ending}`);
  }

  #showCurl() {
    if (!this.store.state.recording) return;
    byId("curl").textContent = this.#curl(this.chosen);
    const stem = this.store.state.recording.name.replace(/\.[^.]*$/, "");
    const without = this.#isCorrected(this.chosen) ? ", without what was corrected here" : "";
    byId("curl-for").textContent = `${stem}.${this.chosen.ending}${without}`;
  }

  /** Which model to name in a curl line: none where there is one alone. */
  get #modelQuery() {
    const { recording, model } = this.store.state;
    return model.served.length > 1 ? { model: recording.model } : {};
  }

  /** From the file itself where that is all it takes, so that the line works tomorrow as well. */
  #curl(file) {
    const { recording, alignedText } = this.store.state;
    const model = this.#modelQuery;
    const key = this.api.key ? ' -H "Authorization: Bearer $OTOSCOPE_API_KEY"' : "";
    const fields = (query) =>
      Object.entries(query)
        .map(([name, value]) => ` -F ${quoted(`${name}=${value}`)}`)
        .join("");
    const source = ` -F ${quoted(`file=@${recording.name}`)}`;
    if (file.from === "reading")
      return `curl${key}${source}${fields({ ...this.#query(file), ...model })} ${quoted(this.api.address("transcribe"))}`;
    if (file.from === "align")
      return `curl${key}${source} -F ${quoted(`text=${alignedText}`)}${fields({ ...file.query, ...model })} ${quoted(this.api.address("align"))}`;
    if (file.from === "probs")
      return `curl${key}${source} ${quoted(this.api.address("probs", { ...this.#query(file), ...model }))} -o ${file.ending}`;
    return `curl${key} ${quoted(this.#address(file))} -o ${file.ending}`;
  }
}

/** For a POSIX shell. @param {string} text */
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
