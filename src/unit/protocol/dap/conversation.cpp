#include "unit/protocol/dap/conversation.hpp"

#include <utility>
#include <vector>

#include "unit/protocol/carried.hpp"

namespace hob::unit {

struct dap_record {
    std::string capabilities{};
    std::int64_t phase = 0;  // of the program
    std::string reason{};
    bool has_status = false;
    std::int64_t status = 0;
    bool owns_program = false;
    std::int64_t session = 0;
    std::string output{};
    std::vector<std::string> progress{};
    std::string thread{};
    std::string frame{};
    std::int64_t generation = 0;
    std::int64_t configuration = 0;
    std::int64_t breakpoints = 0;
};

template <util::json_fields::is<dap_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("capabilities", record.capabilities);
    field("phase", record.phase);
    field("reason", record.reason);
    field("has_status", record.has_status);
    field("status", record.status);
    field("owns_program", record.owns_program);
    field("session", record.session);
    field("output", record.output);
    field("progress", record.progress);
    field("thread", record.thread);
    field("frame", record.frame);
    field("generation", record.generation);
    field("configuration", record.configuration);
    field("breakpoints", record.breakpoints);
}

struct dap_work_record {
    std::string id{};
    std::string title{};
    std::string message{};
    std::int64_t percent = -1;  // -1: not known
};

template <util::json_fields::is<dap_work_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("id", record.id);
    field("title", record.title);
    field("message", record.message);
    field("percent", record.percent);
}

namespace {

template <typename Enum>
std::int64_t number_of(Enum value) {
    return static_cast<std::int64_t>(value);
}

// False: no such value. `last`: the last one of the enumeration.
template <typename Enum>
bool read_enum(std::int64_t number, Enum last, Enum& into) {
    into = static_cast<Enum>(number);
    return number >= 0 && number <= number_of(last);
}

}  // namespace

std::optional<carried_session> carried_as(const dap_conversation& of) {
    if (of.connection != dap_connection::open || of.breakpoints == dap_breakpoints::restoring)
        return std::nullopt;
    dap_record record;
    record.capabilities = of.capabilities;
    record.phase = number_of(of.program.is);
    record.reason = of.program.reason;
    record.has_status = of.program.status.has_value();
    record.status = of.program.status.value_or(0);
    record.owns_program = of.owns_program;
    record.session = number_of(of.session);
    record.output = of.output.text();
    for (const auto& each : of.progress.all()) {
        const dap_work_record work{each.id, each.title, each.message, each.percent.value_or(-1)};
        if (!add_exact(record.progress, work)) return std::nullopt;
    }
    record.thread = of.thread;
    record.frame = of.frame;
    record.generation = static_cast<std::int64_t>(of.generation);
    record.configuration = number_of(of.configuration);
    record.breakpoints = number_of(of.breakpoints);
    return carried_record(record);
}

std::optional<dap_conversation> parse_dap_conversation(const std::string& text) {
    const auto record = util::json_fields::parse<dap_record>(text);
    std::vector<dap_work_record> progress;
    if (!record || record->generation <= 0 || !parse_all(record->progress, progress)) return std::nullopt;
    dap_conversation of;
    const bool known = read_enum(record->phase, program_state::phase::terminated, of.program.is) &&
                       read_enum(record->session, dap_debug_session::over, of.session) &&
                       read_enum(record->configuration, dap_configuration::always_requested, of.configuration) &&
                       read_enum(record->breakpoints, dap_breakpoints::settable, of.breakpoints);
    if (!known) return std::nullopt;
    of.capabilities = record->capabilities;
    of.program.reason = record->reason;
    if (record->has_status) of.program.status = record->status;
    of.owns_program = record->owns_program;
    of.output.restore(record->output);
    std::vector<dap_progress::work> works;
    for (auto& each : progress) {
        works.push_back({std::move(each.id), std::move(each.title), std::move(each.message), {}});
        if (each.percent >= 0) works.back().percent = each.percent;
    }
    of.progress.restore(std::move(works));
    of.thread = record->thread;
    of.frame = record->frame;
    of.generation = static_cast<std::uint64_t>(record->generation);
    return of;
}

}  // namespace hob::unit
