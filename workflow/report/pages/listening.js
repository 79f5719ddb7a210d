// The ladder of one direction: all rungs play together, one of them is heard.
"use strict";

stim2bold.start("[data-view=listening]", (element, settings) => {
  const part = (name) => element.querySelector(`[data-part=${name}]`);
  let segment, players = [], heard = 0;

  const now = () => players[heard].currentTime;
  const spoken = settings.segments.reduce((sum, { words }) => sum + words.length, 0);

  function show() {
    const rung = segment.rungs[heard];
    const time = now();
    part("picture").src = rung.picture;
    part("picture").alt =
      `Spectrogram of ${segment.label} at ${segment.onset.toFixed(1)} s, ${rung.label}`;
    part("cursor").style.left = `${(100 * time) / segment.duration}%`;
    part("seek").value = time;
    part("seek").setAttribute("aria-valuetext", `${time.toFixed(1)} s`);
    part("time").textContent = `${(segment.onset + time).toFixed(1)} s of the film`;
    const said = segment.words.find(({ start, end }) => start <= time && time < end);
    part("word").textContent = said ? said.word : "";
    part("words").querySelectorAll("span").forEach((span, i) => {
      span.classList.toggle("said", segment.words[i] === said);
    });
    part("play").textContent = players[heard].paused ? "Play" : "Pause";
  }

  function hear(number) {
    const time = now();
    heard = number;
    players.forEach((player, i) => { player.muted = i !== heard; });
    // Decoders drift by some hundredths; a jump shorter than that would only click.
    if (Math.abs(now() - time) > 0.04) players[heard].currentTime = time;
    show();
  }

  function seek(time) {
    players.forEach((player) => { player.currentTime = time; });
    show();
  }

  function pause() {
    players.forEach((player) => player.pause());
    show();
  }

  async function toggle() {
    if (!players[heard].paused) return pause();
    // Only one player of the page is heard.
    document.dispatchEvent(new CustomEvent("stim2bold-play", { detail: element }));
    if (players[heard].ended || now() >= segment.duration - 0.05) seek(0);
    const time = now();
    players.forEach((player, i) => {
      player.muted = i !== heard;
      if (Math.abs(player.currentTime - time) > 0.02) player.currentTime = time;
    });
    await Promise.all(players.map((player) => player.play()));
    const follow = () => {
      show();
      if (!players[heard].paused) requestAnimationFrame(follow);
    };
    follow();
  }

  function choose(number) {
    pause();
    segment = settings.segments[number];
    element.querySelectorAll("audio").forEach((old) => old.remove());
    players = segment.rungs.map(({ sound, label }) =>
      make("audio", { src: sound, preload: "auto", "aria-label": label, hidden: "" }));
    element.append(...players);
    players.forEach((player) => player.addEventListener("ended", pause));
    heard = Math.min(heard, players.length - 1);
    part("seek").max = segment.duration;
    part("block").textContent = segment.label;
    part("words").replaceChildren(...segment.words.map(({ word, start, end }) => {
      const span = make("span", {}, word);
      span.style.left = `${(100 * start) / segment.duration}%`;
      span.style.width = `${(100 * (end - start)) / segment.duration}%`;
      return span;
    }));
    // A film whose words nobody wrote down has no place for them.
    for (const name of ["words", "said"]) part(name).hidden = spoken === 0;
    const group = part("rungs").dataset.group;
    part("rungs").replaceChildren(...segment.rungs.map(({ label, scores }, i) => {
      const input = make("input", { type: "radio", name: group, value: i });
      input.checked = i === heard;
      input.addEventListener("change", () => hear(i));
      const cells = scores.map((score) =>
        make("td", { class: "number" }, score === null ? "–" : score.toFixed(3)));
      return make("tr", {}, make("th", { scope: "row" }, make("label", {}, input, ` ${label}`)), ...cells);
    }));
    show();
  }

  document.addEventListener("stim2bold-play", ({ detail }) => {
    if (detail !== element && players.length) pause();
  });
  part("segment").addEventListener("change", () => choose(Number(part("segment").value)));
  part("play").addEventListener("click", toggle);
  part("seek").addEventListener("input", () => seek(Number(part("seek").value)));
  part("stage").addEventListener("click", (event) => {
    const box = part("stage").getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * segment.duration);
  });
  players = [new Audio()];
  segment = settings.segments[0];
  choose(Number(part("segment").value));
});
