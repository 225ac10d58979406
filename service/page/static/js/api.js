/** The service, asked over HTTP. All addresses are relative, so a proxy may put a path before them. */

import { parseNpy } from "./npy.js";
import { Problem } from "./problems.js";
import { tabStorage } from "./storage.js";

const KEY_ITEM = "otoscope-api-key";
const PROTOCOL = "otoscope";
const KEY_PROTOCOL = "openai-insecure-api-key.";

export class Api {
  /** @param {(wrong: boolean) => Promise<string>} askForKey asks the user for a key. */
  constructor(askForKey) {
    this.askForKey = askForKey;
    /** Kept for as long as this tab lives, and nowhere else. */
    this.key = tabStorage.getItem(KEY_ITEM) ?? "";
    /** @type {Promise<void> | null} */
    this.asking = null;
  }

  /** Forget the key. */
  forgetKey() {
    tabStorage.removeItem(KEY_ITEM);
    this.key = "";
  }

  /**
   * The whole address of a route.
   * @param {string} path without a slash in front.
   * @param {Record<string, string | number | undefined>} [query] what is undefined is left out.
   */
  address(path, query = {}) {
    const url = new URL(path, document.baseURI);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
    }
    return url.href;
  }

  /**
   * Ask, with a key where one is needed.
   * @param {string} address
   * @param {RequestInit} [options]
   * @returns {Promise<Response>} an answer that is no error; a Problem is thrown for those.
   */
  async fetch(address, options = {}) {
    const used = this.key;
    let answer;
    try {
      answer = await fetch(address, { ...options, headers: { ...options.headers, ...this.#keyHeaders() } });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw Problem.unreachable();
    }
    if (answer.ok) return answer;
    if (answer.status === 401) {
      await this.#newKey(used);
      return this.fetch(address, options);
    }
    throw Problem.of(answer.status, await answer.text(), answer.headers.get("Retry-After"));
  }

  /** @param {string} path @param {Record<string, any>} [query] */
  async json(path, query) {
    return (await this.fetch(this.address(path, query), { headers: { Accept: "application/json" } })).json();
  }

  /**
   * Rows of a matrix that the service keeps.
   * @param {string} path probs or features.
   * @param {Record<string, any>} query
   * @param {AbortSignal} [signal]
   * @returns {Promise<{values: Float32Array, rows: number, columns: number, start_s: number}>}
   */
  async matrix(path, query, signal) {
    const answer = await this.fetch(this.address(path, { ...query, format: "npy" }), { signal });
    const start_s = Number(answer.headers.get("Otoscope-Start-S"));
    return { ...parseNpy(await answer.arrayBuffer()), start_s };
  }

  /**
   * Open a live stream, with a key where one is needed: headers can't be given.
   * @param {string} path
   * @param {Record<string, any>} query
   * @returns {WebSocket}
   */
  socket(path, query) {
    const url = new URL(this.address(path, query));
    url.protocol = url.protocol.replace("http", "ws");
    return new WebSocket(url, [PROTOCOL, ...(this.key ? [KEY_PROTOCOL + asToken(this.key)] : [])]);
  }

  /**
   * Send a recording. XMLHttpRequest, since fetch tells nothing of how much is sent.
   * @param {string} path
   * @param {FormData} form
   * @param {{onSent?: (share: number) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<any>} the JSON answer.
   */
  async upload(path, form, options = {}) {
    options.signal?.throwIfAborted();
    const used = this.key;
    const request = await this.#send(path, form, options);
    if (request.status === 401) {
      await this.#newKey(used);
      return this.upload(path, form, options);
    }
    if (request.status >= 200 && request.status < 300) return JSON.parse(request.responseText);
    throw Problem.of(request.status, request.responseText, request.getResponseHeader("Retry-After"));
  }

  /** @returns {Promise<XMLHttpRequest>} */
  #send(path, form, { onSent, signal }) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", this.address(path));
      for (const [name, value] of Object.entries(this.#keyHeaders())) request.setRequestHeader(name, value);
      request.setRequestHeader("Accept", "application/json");
      request.upload.onprogress = (event) => event.lengthComputable && onSent?.(event.loaded / event.total);
      request.upload.onload = () => onSent?.(1);
      request.onload = () => resolve(request);
      request.onerror = () => reject(Problem.unreachable());
      request.onabort = () => reject(new DOMException("given up", "AbortError"));
      signal?.addEventListener("abort", () => request.abort());
      request.send(form);
    });
  }

  #keyHeaders() {
    return this.key ? { Authorization: `Bearer ${this.key}` } : {};
  }

  /** Ask for a key once, however many requests were refused for want of it. @param {string} used */
  async #newKey(used) {
    if (used !== this.key) return; // somebody has brought a new one meanwhile
    this.asking ??= this.#ask(used !== "").finally(() => (this.asking = null));
    await this.asking;
  }

  /** @param {boolean} wrong whether the key before was refused. */
  async #ask(wrong) {
    this.key = await this.askForKey(wrong);
    tabStorage.setItem(KEY_ITEM, this.key);
  }
}

/** Text of the characters that a protocol's name may have (RFC 9110, section 5.6.2), others as %XX. @param {string} text */
function asToken(text) {
  return encodeURIComponent(text).replace(/[()]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
}
