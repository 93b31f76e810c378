#include <string>
#include <string_view>

#include "cmd/runs/plot.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view before_data = R"page(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>hob: runs</title>
<style>
:root { color-scheme: light dark; --ok: #2f9e44; --bad: #e03131; --active: #1c7ed6; --dim: #868e96; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; }
h1 { font-size: 1.2rem; margin: 0 0 .2rem; }
p, #axis { color: var(--dim); margin: 0 0 1rem; }
.row { display: flex; align-items: center; border-bottom: 1px solid #8883; }
.name { width: 10rem; flex: none; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.line { position: relative; flex: auto; height: 1.8rem; }
.bar { position: absolute; top: .3rem; bottom: .3rem; min-width: 3px; border-radius: 2px; background: var(--bad); }
.ok { background: var(--ok); } .running, .service { background: var(--active); }
.skipped, .cancelled { background: var(--dim); }
#axis { display: flex; justify-content: space-between; margin-left: 10rem; }
table { border-collapse: collapse; margin-top: 1.5rem; }
td, th { text-align: left; padding: .1rem .8rem .1rem 0; font-variant-numeric: tabular-nums; }
</style>
<h1>Runs</h1>
<p id="about"></p>
<div id="lines"></div>
<div id="axis"><span id="from"></span><span id="to"></span></div>
<table id="table"><thead><tr><th>id<th>task<th>state<th>started<th>took<th>by<th>cause</thead><tbody></tbody></table>
<script id="runs" type="application/json">)page";

constexpr std::string_view between_data = R"page(</script>
<script id="status" type="application/json">)page";

constexpr std::string_view after_data = R"page(</script>
<script>
"use strict";
const readData = id => JSON.parse(document.getElementById(id).textContent);
const runs = readData("runs"), status = readData("status");
const now = Date.now();
const time = text => Date.parse(text);
const duration = ms => ms === null ? "" : ms < 1000 ? ms + " ms" : (ms / 1000).toFixed(1) + " s";
const bars = runs.map(run => ({
  row: run.task, kind: run.state, from: time(run.started_at),
  to: run.ended_at ? time(run.ended_at) : run.state === "running" ? now : time(run.started_at),
  text: `run ${run.id} of ${run.task}: ${run.state}, ${duration(run.duration_ms)}\n${run.cause}` }));
for (const unit of status ? status.units : [])
  if (unit.kind === "service" && unit.pid && unit.since)
    bars.push({ row: unit.name, kind: "service", from: time(unit.since), to: now, text: `${unit.name}: ${unit.state}` });
const first = Math.min(...bars.map(bar => bar.from), now), last = Math.max(...bars.map(bar => bar.to), first + 1);
const timelines = new Map();
for (const bar of bars) {
  if (!timelines.has(bar.row)) {
    const row = document.createElement("div"), name = document.createElement("div"), line = document.createElement("div");
    row.className = "row"; name.className = "name"; line.className = "line";
    name.textContent = bar.row === "-" ? "commands" : bar.row;
    row.append(name, line);
    document.getElementById("lines").append(row);
    timelines.set(bar.row, line);
  }
  const box = document.createElement("div");
  box.className = "bar " + bar.kind;
  box.title = bar.text;
  box.style.left = 100 * (bar.from - first) / (last - first) + "%";
  box.style.width = 100 * (bar.to - bar.from) / (last - first) + "%";
  timelines.get(bar.row).append(box);
}
document.getElementById("about").textContent = `${runs.length} runs` + (status ? ` in ${status.root}` : "");
document.getElementById("from").textContent = new Date(first).toLocaleString();
document.getElementById("to").textContent = new Date(last).toLocaleString();
for (const run of runs) {
  const row = document.querySelector("#table tbody").insertRow();
  for (const text of [run.id, run.task, run.state, new Date(time(run.started_at)).toLocaleString(), duration(run.duration_ms),
                      run.trigger, run.cause]) row.insertCell().textContent = text;
}
</script>
</html>
)page";

// Escapes JSON for a script element: `<` could end the element.
std::string embedded(std::string_view json) {
    std::string text;
    for (const char c : json) {
        if (c == '<') {
            text += "\\u003c";
        } else {
            text += c;
        }
    }
    return text;
}

}  // namespace

std::string runs_page(std::string_view runs_json, std::string_view status_json) {
    std::string page(before_data);
    page += embedded(runs_json);
    page += between_data;
    page += embedded(status_json);
    return page.append(after_data);
}

}  // namespace hob::cmd
