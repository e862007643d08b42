"use strict";
// The script of a report: zoom, hover, filters, copy. The page is whole without it. It writes text
// and attributes of SVG only, so that the policy of the page (Trusted Types) has nothing to refuse.
(() => {
  const root = document.documentElement;
  const one = (from, s) => from.querySelector(s);
  const all = (from, s) => [...from.querySelectorAll(s)];
  const on = (el, name, f, o) => el && el.addEventListener(name, f, o);
  const set = (el, attributes) => {
    for (const k in attributes) el.setAttribute(k, attributes[k]);
    return el;
  };
  const svg = (name, attributes) =>
    set(document.createElementNS("http://www.w3.org/2000/svg", name), attributes);
  root.classList.add("on");

  const pct = v => v * 100 + "%";
  const step = (length, parts) => {
    const rough = length / parts,
      power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find(m => m * power >= rough);
  };
  const time = (ms, by) => {
    const unit = by >= 1000 ? 1000 : 1;
    return (
      (ms / unit).toFixed(Math.min(6, Math.max(0, Math.ceil(-Math.log10(by / unit) - 1e-9)))) +
      (unit > 1 ? " s" : " ms")
    );
  };
  const long = ms =>
    ms >= 1000 ? (ms / 1000).toPrecision(4) + " s" : ms.toPrecision(ms < 1 ? 3 : 4) + " ms";
  const octets = n =>
    n >= 1e9 ? n / 1e9 + " GB" : n >= 1e6 ? n / 1e6 + " MB" : n >= 1e4 ? n / 1e3 + " kB" : n + " B";
  const tidy = v => Math.round(v * 1e6) / 1e6;

  // Light or dark.
  on(one(document, ".theme"), "click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  // Display filters go to the clipboard or, where a file may not write there, are selected.
  for (const button of all(document, ".copy"))
    on(button, "click", async () => {
      const code = one(button.parentElement, "code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "selected";
      }
      setTimeout(() => {
        button.textContent = "copy";
      }, 1500);
    });

  // The waterfall: what is shown, and in which order.
  const waterfall = one(document, ".waterfall");
  if (waterfall) {
    const rows = all(waterfall, ".row"),
      lanes = all(waterfall, ".lane"),
      opened = new Map(lanes.map(l => [l, l.open]));
    const only = all(waterfall, ".only"),
      service = one(waterfall, ".service"),
      find = one(waterfall, ".find");
    const sort = one(waterfall, ".sort"),
      count = one(waterfall, ".count");
    const services = [...new Set(rows.map(r => r.dataset.service))].sort();
    for (const s of services) {
      const o = document.createElement("option");
      o.value = o.textContent = s;
      service.append(o);
    }
    service.parentElement.classList.toggle("hidden", services.length < 2);
    const text = new Map(rows.map(r => [r, one(r, ".req").textContent.toLowerCase()]));
    const show = () => {
      const wanted = only
        .filter(b => b.getAttribute("aria-pressed") === "true")
        .map(b => b.dataset.n);
      const words = find.value.toLowerCase();
      const filtered = wanted.length || words || service.value;
      let shown = 0;
      for (const r of rows) {
        const ok =
          (!wanted.length || wanted.some(n => r.dataset.f.includes(" " + n + " "))) &&
          (!service.value || r.dataset.service === service.value) &&
          (!words || text.get(r).includes(words));
        r.classList.toggle("hidden", !ok);
        if (ok) shown++;
      }
      for (const l of lanes) {
        const any = one(l, ".row:not(.hidden)");
        l.classList.toggle("hidden", !any);
        l.open = filtered ? !!any : opened.get(l);
      }
      count.textContent = filtered ? shown + " of " + rows.length : "";
    };
    for (const b of only)
      on(b, "click", () => {
        b.setAttribute("aria-pressed", String(b.getAttribute("aria-pressed") !== "true"));
        show();
      });
    on(service, "change", show);
    on(find, "input", show);
    on(sort, "change", () => {
      const by = sort.value,
        sign = by === "start" ? 1 : -1,
        key = r => sign * Number(r.dataset[by]);
      const best = l => Math.min(...all(l, ".row").map(key));
      for (const l of lanes) l.append(...all(l, ".row").sort((a, b) => key(a) - key(b)));
      lanes[0].parentElement.append(...lanes.sort((a, b) => best(a) - best(b)));
    });
    // Bars stand at their time or, to be compared, all at the left edge.
    const scale = one(waterfall, ".scale"),
      axis = one(waterfall, ".head .xaxis");
    const starts = rows.map(r => Number(r.dataset.start)),
      lengths = rows.map(r => Number(r.dataset.duration));
    const place = () => {
      const aligned = scale.value === "aligned",
        from = aligned ? 0 : Math.min(...starts);
      const to = aligned ? Math.max(...lengths) : Math.max(...starts.map((s, i) => s + lengths[i])),
        span = Math.max(to - from, 1);
      rows.forEach((r, i) => {
        const wide = Math.max(lengths[i] / span, 0.003),
          at = aligned ? 0 : (starts[i] - from) / span;
        set(one(r, ".barbox svg"), { x: pct(Math.min(at, 1 - wide)), width: pct(wide) });
      });
      waterfall.classList.toggle("aligned", aligned);
      const by = step(span / 1e6, Math.max(3, (axis.clientWidth || 400) / 110)),
        marks = [];
      for (let t = 0; t <= span / 1e6; t += by)
        marks.push({ at: (t * 1e6) / span, text: time(t, by) });
      axis.replaceChildren(
        ...marks.map((m, i) => {
          const t = svg("text", {
            x: pct(m.at),
            y: 14,
            class: "tick",
            "text-anchor": i ? "middle" : "start",
          });
          t.textContent = m.text;
          return t;
        }),
      );
    };
    on(scale, "change", place);
  }

  // Graphs.
  const block = document.getElementById("data");
  const data = block ? JSON.parse(block.textContent) : { graphs: [] };
  for (const figure of all(document, ".graph")) graph(figure, data.graphs[figure.dataset.g]);

  function graph(figure, g) {
    const span = g.to - g.from,
      plots = all(figure, ".dir"),
      tip = one(figure, ".tip");
    const whole = { from: 0, to: 1 };
    let view = { ...whole };
    const shown = () => (one(figure, ".p1").checked ? 1 : 0);
    const rows = g.segments.map(s => ({
      at: s[0] / 1e3 / span,
      dir: s[1],
      seq: s[2],
      len: s[3],
      ack: s[4],
      win: s[5],
      frame: s[6],
      kind: data.kinds[s[7]],
      again: data.kinds[s[7]].includes("retransmission") || data.kinds[s[7]] === "tail-loss-probe",
      flags: g.flags[s[8]],
      n: s[9],
    }));
    const height = (r, d) =>
      r.dir === d ? [r.seq, r.seq + r.len] : r.ack >= 0 ? [r.ack, r.ack] : null;

    // The octets that are in view: all of them where nothing passes.
    const vertical = d => {
      const [low, high] = g.octets[d];
      if (view.from <= 0 && view.to >= 1) return { from: low, to: high };
      let from = Infinity,
        to = -Infinity;
      for (const r of rows) {
        const h = r.at >= view.from && r.at <= view.to && height(r, d);
        if (h) {
          from = Math.min(from, h[0]);
          to = Math.max(to, h[1]);
        }
      }
      if (from > to) return { from: low, to: high };
      const room = Math.max((to - from) * 0.08, 4);
      return { from: from - room, to: to + room };
    };

    const ticks = (axis, lines, marks, across) => {
      axis.replaceChildren(
        ...marks.map((m, i) => {
          const t = svg(
            "text",
            across
              ? { x: pct(m.at), y: 14, class: "tick" }
              : { x: 56, y: pct(m.at), dy: 4, class: "tick" },
          );
          t.setAttribute("text-anchor", across ? "middle" : "end");
          t.textContent = m.text;
          return t;
        }),
      );
      lines.replaceChildren(
        ...marks.map(m =>
          svg(
            "line",
            across
              ? { x1: pct(m.at), x2: pct(m.at), y1: 0, y2: "100%", class: "grid" }
              : { y1: pct(m.at), y2: pct(m.at), x1: 0, x2: "100%", class: "grid" },
          ),
        ),
      );
    };

    const draw = () => {
      const d = shown(),
        plot = plots[d],
        wide = view.to - view.from,
        width = one(plot, ".plot").clientWidth || 600;
      const [low, high] = g.octets[d],
        v = vertical(d),
        unit = high - low;
      const top = 1 - (v.to - low) / unit,
        tall = (v.to - v.from) / unit;
      set(one(plot, ".data"), {
        viewBox: [view.from * 1e6, top * 1e6, wide * 1e6, tall * 1e6].join(" "),
      });
      set(one(plot, ".zxy"), {
        x: pct(-view.from / wide),
        width: pct(1 / wide),
        y: pct(-top / tall),
        height: pct(1 / tall),
      });
      set(one(figure, ".zx"), { x: pct(-view.from / wide), width: pct(1 / wide) });
      const by = step(span * wide, Math.max(3, width / 110)),
        marks = [];
      for (let t = Math.ceil((view.from * span) / by) * by; t <= view.to * span; t += by) {
        marks.push({ at: (t / span - view.from) / wide, text: time(t, by) });
      }
      ticks(one(plot, ".xaxis"), one(plot, ".gx"), marks, true);
      const up = Math.max(1, step(v.to - v.from, 5)),
        levels = [];
      for (let o = Math.max(0, Math.ceil(v.from / up) * up); o <= v.to; o += up) {
        levels.push({ at: (v.to - o) / (v.to - v.from), text: octets(tidy(o)) });
      }
      ticks(one(plot, ".yaxis"), one(plot, ".gy"), levels, false);
      let last = -Infinity; // numbers stand beside each other
      for (const m of all(plot, ".mark")) {
        const x = ((parseFloat(m.getAttribute("x")) / 100 - view.from) / wide) * width,
          at = Math.max(x, last + 20);
        set(one(m, "circle"), { cx: at - x });
        set(one(m, "text"), { x: at - x });
        last = at;
      }
      names(plot, d, v, wide);
      words(wide, width);
      set(one(plot, ".view"), { x: pct(view.from), width: pct(wide) });
    };

    // Few segments have room for their numbers.
    const names = (plot, d, v, wide) => {
      const seen = rows.filter(
        r => r.at >= view.from && r.at <= view.to && r.dir === d && r.len > 0,
      );
      one(plot, ".names").replaceChildren(
        ...(seen.length > 40
          ? []
          : seen.map(r => {
              const t = svg("text", {
                x: pct((r.at - view.from) / wide),
                dx: 8,
                dy: 4,
                class: r.again ? "again" : "",
                y: pct((v.to - r.seq - r.len / 2) / (v.to - v.from)),
              });
              t.textContent =
                r.frame + (r.again ? " sent again" : r.n > 1 ? " and " + (r.n - 1) + " more" : "");
              return t;
            })),
      );
    };

    // Words on the causes, where they fit.
    const words = (wide, width) => {
      const out = [];
      for (const [from, to, label] of g.pieces) {
        const a = Math.max(from / 1e3 / span, view.from),
          b = Math.min(to / 1e3 / span, view.to),
          room = ((b - a) / wide) * width;
        if (room < 44) continue;
        const took = long((to - from) / 1e3),
          text = [data.labels[label] + " " + took, took].find(t => t.length * 7.4 < room);
        if (!text) continue;
        const t = svg("text", {
          x: pct(((a + b) / 2 - view.from) / wide),
          y: 14,
          "text-anchor": "middle",
          class: "inbar",
        });
        t.textContent = text;
        out.push(t);
      }
      one(figure, ".words").replaceChildren(...out);
    };

    const look = (from, to) => {
      const wide = Math.min(1, Math.max(to - from, 1e-6));
      from = Math.min(Math.max(from, 0), 1 - wide);
      view = { from, to: from + wide };
      draw();
    };
    const zoom = (factor, about = 0.5) => {
      const wide = view.to - view.from,
        at = view.from + wide * about;
      look(at - wide * factor * about, at + wide * factor * (1 - about));
    };
    const move = share =>
      look(view.from + share * (view.to - view.from), view.to + share * (view.to - view.from));
    const proof = () => {
      const at = all(plots[shown()], ".zxy .at").map(l => parseFloat(l.getAttribute("x1")) / 100);
      if (!at.length) return look(0, 1);
      const from = Math.min(...at),
        to = Math.max(...at),
        room = Math.max((to - from) * 0.15, 1e-4);
      look(from - room, to + room);
    };

    // What is under the pointer: a segment near it, else the cause there.
    const say = (plot, d, x, y, box) => {
      const wide = view.to - view.from,
        v = vertical(d),
        t = view.from + (x / box.width) * wide;
      let best = null,
        least = 18;
      for (const r of rows) {
        const h = height(r, d);
        if (!h) continue;
        const dx = (Math.abs(r.at - t) / wide) * box.width;
        if (dx >= least) continue;
        const o = v.to - (y / box.height) * (v.to - v.from),
          off = o < h[0] ? h[0] - o : o > h[1] ? o - h[1] : 0;
        const far = Math.hypot(dx, (off / (v.to - v.from)) * box.height);
        if (far < least) {
          least = far;
          best = r;
        }
      }
      if (best) {
        const r = best,
          parts = [
            "frame " + r.frame,
            "+" + (r.at * span).toFixed(3) + " ms",
            "by the " + ["client", "server"][r.dir],
            r.flags,
          ];
        if (r.n > 1) parts.push(r.n + " segments");
        if (r.len) parts.push(r.len + " octets from " + r.seq);
        if (r.ack >= 0) parts.push("acknowledges " + r.ack, "window " + r.win);
        if (r.kind) parts.push(r.kind);
        tip.textContent = parts.join(" · ");
        return;
      }
      const piece = g.pieces.find(p => p[0] <= t * span * 1e3 && p[1] >= t * span * 1e3);
      tip.textContent = piece
        ? data.labels[piece[2]] + ", " + long((piece[1] - piece[0]) / 1e3)
        : "";
    };

    plots.forEach((plot, d) => {
      const area = one(plot, ".plot"),
        map = one(plot, ".map");
      let drag = null;
      const share = e => (e.clientX - area.getBoundingClientRect().left) / area.clientWidth;
      on(area, "pointerdown", e => {
        drag = { x: e.clientX, from: view.from, to: view.to };
      });
      on(area, "pointermove", e => {
        const box = area.getBoundingClientRect();
        if (drag && e.buttons) {
          const by = ((drag.x - e.clientX) / box.width) * (drag.to - drag.from);
          if (Math.abs(drag.x - e.clientX) > 3) look(drag.from + by, drag.to + by);
          return;
        }
        drag = null;
        say(plot, d, e.clientX - box.left, e.clientY - box.top, box);
      });
      on(area, "pointerup", () => {
        drag = null;
      });
      on(area, "click", e => {
        const box = area.getBoundingClientRect();
        say(plot, d, e.clientX - box.left, e.clientY - box.top, box);
      });
      on(area, "dblclick", e => zoom(0.5, share(e)));
      on(
        area,
        "wheel",
        e => {
          if (!e.ctrlKey) return;
          e.preventDefault();
          zoom(e.deltaY < 0 ? 0.8 : 1.25, share(e));
        },
        { passive: false },
      );
      on(area, "keydown", e => {
        const keys = {
          "+": () => zoom(0.5),
          "=": () => zoom(0.5),
          "-": () => zoom(2),
          0: () => look(0, 1),
          ArrowLeft: () => move(-0.25),
          ArrowRight: () => move(0.25),
        };
        if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key]) return;
        e.preventDefault();
        keys[e.key]();
      });
      on(map, "click", e => {
        const at = (e.clientX - map.getBoundingClientRect().left) / map.clientWidth,
          half = (view.to - view.from) / 2;
        look(at - half, at + half);
      });
    });
    for (const b of all(figure, "[data-z]"))
      on(b, "click", () =>
        ({ in: () => zoom(0.5), out: () => zoom(2), all: () => look(0, 1), proof })[b.dataset.z](),
      );
    for (const p of all(figure, ".pick")) on(p, "change", draw);
    on(window, "resize", draw);
    figure.showProof = proof;
    draw();
  }

  // From a finding to its frames.
  for (const a of all(document, ".card a.button"))
    on(a, "click", () => {
      const figure = document.getElementById(a.getAttribute("href").slice(1));
      if (figure && figure.showProof) figure.showProof();
    });
})();
