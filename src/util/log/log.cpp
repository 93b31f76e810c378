#include "util/log/log.hpp"

#include <boost/log/attributes/attribute_value_impl.hpp>
#include <boost/log/attributes/value_extraction.hpp>
#include <boost/log/core.hpp>
#include <boost/log/keywords/channel.hpp>
#include <boost/log/keywords/severity.hpp>
#include <boost/log/sources/severity_channel_logger.hpp>
#include <boost/log/utility/exception_handler.hpp>

#include <memory>
#include <utility>
#include <vector>

#include "util/log/log_levels.hpp"
#include "util/log/log_sinks.hpp"

namespace hob::util {
namespace {

namespace logging = boost::log;

using logger = logging::sources::severity_channel_logger_mt<level, std::string>;

struct state {
    log_levels levels;
    logger source;
    std::vector<sink_ptr> sinks;
    std::shared_ptr<rotating_file> file;  // shared with its sink
    bool json = true;                     // of the file
    std::string reported_problem;         // the last one that was logged to the other sinks
};

// Boost.Log is not touched before log_setup. Never destroyed: destructors of statics may still log.
state* current = nullptr;
int lowest = level_off;

std::shared_ptr<rotating_file> file_for(const log_options& options, std::shared_ptr<rotating_file> previous) {
    if (options.file.empty()) return nullptr;
    if (previous && previous->path() == options.file) {
        previous->set_limits(options.max_size, options.max_files);
        return previous;
    }
    auto note = [](std::uint64_t lost, std::string_view reason) {
        return loss_record(current == nullptr || current->json, lost, reason);
    };
    return std::make_shared<rotating_file>(options.file, options.max_size, options.max_files, note);
}

void replace_sinks(state& target, const log_options& options) {
    const auto core = logging::core::get();
    for (const auto& sink : target.sinks)
        core->remove_sink(sink);
    target.sinks.clear();
    target.file = file_for(options, std::move(target.file));
    target.json = options.json;
    if (target.file) target.sinks.push_back(make_file_sink(target.file, options.json));
    if (options.to_stderr) target.sinks.push_back(make_stderr_sink());
    if (options.to_syslog) target.sinks.push_back(make_syslog_sink(options.program));
    for (const auto& sink : target.sinks)
        core->add_sink(sink);
}

bool passes_filter(const logging::attribute_value_set& values) {
    const auto severity = logging::extract<level>("Severity", values);
    const auto channel = logging::extract<std::string>("Channel", values);
    return severity && channel && current->levels.enabled(*severity, *channel);
}

void push(level severity, std::string_view channel, log_text message, log_fields fields) {
    logging::record record = current->source.open_record(
        (logging::keywords::channel = std::string(channel), logging::keywords::severity = severity));
    if (!record) return;
    record.attribute_values().insert("Message", logging::attributes::make_attribute_value(message));
    record.attribute_values().insert("Fields", logging::attributes::make_attribute_value(fields));
    current->source.push_record(boost::move(record));
}

// The reason why the file cannot be written goes to the other sinks, once for each reason.
void report_problem() {
    if (!current->file || current->file->problem() == current->reported_problem) return;
    current->reported_problem = current->file->problem();
    if (current->reported_problem.empty()) return;
    const std::string message = "the log file is not written: " + current->reported_problem;
    push(level::error, "log", {message}, {{}, true});
}

}  // namespace

log_field field(std::string_view key, std::string_view value) { return {key, std::string(value), false}; }

void log_setup(const log_options& options) {
    try {
        if (current == nullptr) {
            current = new state;
            logging::core::get()->set_exception_handler(logging::make_exception_suppressor());
            logging::core::get()->set_filter(&passes_filter);
        }
        std::string why;
        current->levels = log_levels::parse(options.levels, why).value_or(log_levels());
        replace_sinks(*current, options);
        // Without any sink, Boost.Log would print to stdout.
        lowest = current->sinks.empty() ? level_off : current->levels.lowest();
    } catch (...) {
        lowest = level_off;
    }
}

bool log_enabled(level severity, std::string_view channel) noexcept {
    return static_cast<int>(severity) >= lowest && current->levels.enabled(severity, channel);
}

void log(level severity, std::string_view channel, std::string_view message,
         std::initializer_list<log_field> fields) noexcept {
    if (!log_enabled(severity, channel)) return;
    try {
        push(severity, channel, {message}, {{fields.begin(), fields.size()}, false});
        report_problem();
    } catch (...) {
        // Out of memory: this record is lost.
    }
}

std::string log_problem() {
    return current != nullptr && current->file ? current->file->problem() : std::string();
}

}  // namespace hob::util
