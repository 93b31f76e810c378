#include "cmd/runs/page.hpp"

#include <string_view>

#include "cmd/core/table.hpp"
#include "cmd/runs/page_output.hpp"
#include "cmd/runs/run_text.hpp"
#include "identity.hpp"
#include "util/clock.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

using std::chrono::system_clock;
using util::ms_of;

// [id, task, state, from, to or null, end, trigger, cause, cpu_ms, max_rss_kib, output]: short, since a page
// may have tens of thousands.
util::json_array run_array(const unit::run_record& run, const std::string& output) {
    util::json_array fields;
    fields.add(run.id)
        .add(run.task == unit::command_name ? std::string() : printable(run.task, true))
        .add(name_of(run.state))
        .add(ms_of(run.started_at))
        .add(ms_of(run.ended_at))
        .add(end_text(run))
        .add(name_of(run.trigger))
        .add(printable(util::with_local_times(run.cause), true))
        .add(run.cpu_ms)
        .add(run.max_rss_kib)
        .add(output);
    return fields;
}

// [id, service, state, from, to or null, end, failed, trigger, cause, cpu_ms, max_rss_kib, output, ready or
// null, restarts]
util::json_array life_array(const unit::run_record& life, const std::string& output) {
    util::json_array fields;
    fields.add(life.id)
        .add(printable(life.task, true))
        .add(life_state(life))
        .add(ms_of(life.started_at))
        .add(ms_of(life.ended_at))
        .add(end_text(life))
        .add(is_failure(life.state))
        .add(name_of(life.trigger))
        .add(printable(util::with_local_times(life.cause), true))
        .add(life.cpu_ms)
        .add(life.max_rss_kib)
        .add(output)
        .add(ms_of(life.ready_at))
        .add(life.restarts);
    return fields;
}

std::string page_data(const lifecycle::instance& where, const page_content& content) {
    const auto outputs = run_output(where, content.runs, {});
    util::json_array runs, lives;
    for (const auto& run : content.runs) {
        const auto found = outputs.find(run.id);
        const std::string output = found == outputs.end() ? std::string() : found->second;
        if (run.kind == unit::record_kind::life) {
            lives.add(life_array(run, output));
        } else {
            runs.add(run_array(run, output));
        }
    }
    util::json_object data;
    data.add("program", this_program.name).add("root", printable(where.root, true));
    data.add("written", ms_of(content.written)).add("runs", runs).add("lives", lives);
    return std::move(data).text();
}

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

std::string runs_page(const lifecycle::instance& where, const page_content& content) {
    constexpr std::string_view marker = "{{data}}";
    const auto at = page_template.find(marker);
    std::string page(page_template.substr(0, at));
    page += embedded(page_data(where, content));
    return page.append(page_template.substr(at + marker.size()));
}

}  // namespace hob::cmd
