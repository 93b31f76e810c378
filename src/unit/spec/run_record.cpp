#include "unit/spec/run_record.hpp"

#include <fmt/format.h>

#include "util/clock.hpp"
#include "util/json_text.hpp"

namespace hob::unit {
namespace {

std::string or_null(const std::optional<std::int64_t>& number) {
    return number ? std::to_string(*number) : "null";
}

}  // namespace

std::string_view name_of(run_state state) {
    switch (state) {
        case run_state::running:
            return "running";
        case run_state::ok:
            return "ok";
        case run_state::failed:
            return "failed";
        case run_state::timeout:
            return "timeout";
        case run_state::cancelled:
            return "cancelled";
        case run_state::lost:
            return "lost";
        case run_state::skipped:
            return "skipped";
    }
    return "lost";
}

std::string_view name_of(run_trigger trigger) {
    switch (trigger) {
        case run_trigger::manual:
            return "manual";
        case run_trigger::timer:
            return "timer";
        case run_trigger::cron:
            return "cron";
        case run_trigger::watch:
            return "watch";
        case run_trigger::start:
            return "start";
        case run_trigger::retry:
            return "retry";
    }
    return "manual";
}

std::optional<std::int64_t> run_record::duration_ms() const {
    if (!ended_at) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::milliseconds>(*ended_at - started_at).count();
}

std::string run_json(const run_record& run, const std::string& log_dir) {
    const std::string ended = run.ended_at ? util::json_quote(util::rfc3339(*run.ended_at)) : "null";
    return fmt::format(
        R"({{"id":{},"task":{},"trigger":"{}","cause":{},"started_at":"{}","ended_at":{},"duration_ms":{},)"
        R"("state":"{}","exit":{},"signal":{},"cpu_ms":{},"max_rss_kib":{}{}}})",
        run.id, util::json_quote(run.task), run.trigger, util::json_quote(run.cause),
        util::rfc3339(run.started_at), ended, or_null(run.duration_ms()), run.state, or_null(run.exit),
        or_null(run.signal), or_null(run.cpu_ms), or_null(run.max_rss_kib),
        log_dir.empty() ? "" : ",\"log\":" + util::json_quote(log_dir + "/" + run.task + ".log"));
}

std::string runs_json(const std::vector<run_record>& runs, const std::string& log_dir) {
    std::string text = "[";
    for (const auto& run : runs) {
        if (text.size() > 1) text += ',';
        text += run_json(run, log_dir);
    }
    return text + "]";
}

}  // namespace hob::unit
