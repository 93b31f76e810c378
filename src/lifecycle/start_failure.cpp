#include "lifecycle/start_failure.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "identity.hpp"
#include "limits.hpp"
#include "util/clock.hpp"
#include "util/duration.hpp"
#include "util/fd.hpp"
#include "util/proc.hpp"

namespace hob::lifecycle {
namespace {

namespace json = boost::json;

constexpr auto window = limits::crash_loop_window.count();

// Device, inode, size and time of change: differs after the file has changed.
std::string identity_of(const std::string& path) {
    struct stat found {};
    if (path.empty() || ::stat(path.c_str(), &found) != 0) return "absent";
    return fmt::format("{}:{}:{}:{}.{}", found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec,
                       found.st_mtim.tv_nsec);
}

std::string own_binary() { return identity_of("/proc/self/exe"); }

// Whether a failure counts for the crash-loop brake.
bool counts(error_kind kind) { return kind != error_kind::config && kind != error_kind::untrusted_config; }

std::string text_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    const json::string* text = value ? value->if_string() : nullptr;
    return text ? std::string(text->data(), text->size()) : std::string();
}

std::int64_t number_of(const json::value* value) {
    const std::int64_t* number = value ? value->if_int64() : nullptr;
    return number ? *number : 0;
}

}  // namespace

std::int64_t boot_milliseconds() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

std::optional<start_failure> read_start_failure(const instance& where) {
    const auto bytes = util::read_file(where.start_failure_path(), limits::small_file_max, false);
    if (!bytes) return std::nullopt;
    boost::system::error_code error;
    const json::value parsed = json::parse(*bytes, error);
    const json::object* object = error ? nullptr : parsed.if_object();
    if (!object) return std::nullopt;
    start_failure record;
    record.boot_id = text_of(*object, "boot_id");
    if (record.boot_id != util::boot_id()) return std::nullopt;
    record.time = text_of(*object, "time");
    record.at = number_of(object->if_contains("at"));
    record.kind = error_kind_named(text_of(*object, "code")).value_or(error_kind::internal);
    record.message = text_of(*object, "message");
    record.hint = text_of(*object, "hint");
    record.binary = text_of(*object, "binary");
    record.config = text_of(*object, "config");
    const json::value* failures = object->if_contains("failures");
    if (const json::array* list = failures ? failures->if_array() : nullptr) {
        for (const auto& entry : *list)
            record.failures.push_back(number_of(&entry));
    }
    return record;
}

namespace {

void write_record(const instance& where, const failure& why, std::int64_t at, json::array failures) {
    json::object record;
    record["time"] = util::rfc3339(std::chrono::system_clock::now());
    record["code"] = name_of(why.kind());
    record["message"] = why.what();
    record["hint"] = why.hint();
    record["at"] = at;
    record["boot_id"] = util::boot_id();
    record["failures"] = std::move(failures);
    record["binary"] = own_binary();
    record["config"] = identity_of(where.config_path);
    util::replace_file(where.start_failure_path(), json::serialize(record) + "\n");
}

}  // namespace

void write_crash_loop(const instance& where, const failure& why) {
    const std::int64_t at = boot_milliseconds();
    write_record(where, why, at, json::array(limits::crash_loop_count, at));
}

void write_start_failure(const instance& where, const failure& why) {
    // The state directory is that of the daemon that runs.
    if (why.kind() == error_kind::instance_elsewhere) return;
    const std::int64_t at = boot_milliseconds();
    json::array failures;
    if (counts(why.kind())) {
        if (const auto before = read_start_failure(where)) {
            for (const auto earlier : before->failures) {
                if (at - earlier < window * limits::crash_loop_count) failures.push_back(earlier);
            }
        }
        while (failures.size() >= static_cast<std::size_t>(limits::crash_loop_count))
            failures.erase(failures.begin());
        failures.push_back(at);
    }
    write_record(where, why, at, std::move(failures));
}

void clear_start_failure(const instance& where) { ::unlink(where.start_failure_path().c_str()); }

std::optional<failure> crash_loop(const instance& where) {
    const auto record = read_start_failure(where);
    if (!record || record->failures.size() < static_cast<std::size_t>(limits::crash_loop_count))
        return std::nullopt;
    for (std::size_t i = 1; i < record->failures.size(); ++i) {
        if (record->failures[i] - record->failures[i - 1] > window) return std::nullopt;
    }
    const std::int64_t since = boot_milliseconds() - record->failures.back();
    if (since < 0 || since >= window) return std::nullopt;
    if (record->binary != own_binary() || record->config != identity_of(where.config_path))
        return std::nullopt;
    return failure(
        error_kind::crash_loop, cannot("start the daemon of", where.root),
        fmt::format("it failed {} times in a row, last with: {}", limits::crash_loop_count, record->message),
        fmt::format("tried again in {}, after a change of {}, or now with: {}",
                    util::format_duration(std::chrono::milliseconds(window - since)),
                    this_program.config_file, command_text("daemon")));
}

}  // namespace hob::lifecycle
