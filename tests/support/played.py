"""What a page plays, noted by the page itself."""

STARTS = """() => {
    window.started = [];
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (when, offset, duration) {
      window.started.push([offset, duration]);
      return start.call(this, when, offset, duration);
    };
    window.lit = [];
    const heard = ({target}) => target.matches(".word.heard");
    const note = (changed) =>
      window.lit.push(...changed.filter(heard).map(({target}) => target.innerText));
    new MutationObserver(note).observe(document, {subtree: true, attributeFilter: ["class"]});
}"""
"""Notes which part of a recording is played, and plays it; and which words light up meanwhile."""
