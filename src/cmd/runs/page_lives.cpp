#include "cmd/runs/page_lives.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "ipc/unit_state.hpp"
#include "util/clock.hpp"
#include "util/log/log_reader.hpp"
#include "util/log/log_reader_record.hpp"

namespace hob::cmd {
namespace {

using ipc::unit_state;
using std::chrono::system_clock;

// Messages of the daemon's log. Others are not parsed.
constexpr std::string_view changed = "unit changed its state", ended = "service ended";
constexpr std::string_view starting = "daemon starting", ready = "daemon ready";

std::string_view field_of(const util::log_record& record, std::string_view key) {
    for (const auto& [name, value] : record.fields) {
        if (name == key) return value;
    }
    return {};
}

service_life life_of(const std::string& unit, system_clock::time_point from) {
    service_life life;
    life.unit = unit;
    life.from = from;
    life.state = name_of(unit_state::starting);
    return life;
}

class life_reader {
public:
    void take(const util::log_record& record) {
        if (!record.time) return;
        last_ = *record.time;
        const std::string unit(field_of(record, "unit"));
        if (record.message == changed && field_of(record, "kind") == "service") {
            change(unit, field_of(record, "to"));
        } else if (record.message == ended) {
            if (const auto life = open_.find(unit); life != open_.end())
                life->second.end = field_of(record, "how");
        } else if (record.message == starting) {
            daemon_started_ = last_;
        } else if (record.message == ready) {
            close_all_before(daemon_started_);
        }
    }

    // `units`: what the daemon says now; empty: there is none.
    std::vector<service_life> finish(const std::vector<unit_view>& units) {
        for (const auto& unit : units) {
            const auto since = util::parse_rfc3339(unit.since);
            if (unit.kind != "service" || unit.pid == 0 || !since) continue;
            auto found = open_.extract(unit.name);
            // Without a record, as when the log is too short: since it entered its state.
            service_life life = found ? std::move(found.mapped()) : life_of(unit.name, *since);
            life.state = unit.state;
            lives_.push_back(std::move(life));
        }
        close_all_before(system_clock::time_point::max());
        std::stable_sort(
            lives_.begin(), lives_.end(),
            [](const service_life& one, const service_life& other) { return one.from < other.from; });
        return std::move(lives_);
    }

private:
    void change(const std::string& unit, std::string_view to) {
        const auto state = ipc::unit_state_named(to);
        const auto life = open_.find(unit);
        if (state == unit_state::starting) {
            if (life != open_.end()) close(unit, "stopped");
            open_[unit] = life_of(unit, last_);
        } else if (life == open_.end() || !state) {
            return;
        } else if (state == unit_state::ready || state == unit_state::stopping) {
            life->second.state = to;
        } else {
            life->second.failed = state == unit_state::failed || state == unit_state::backoff;
            close(unit, life->second.failed ? "failed" : "stopped");
        }
    }

    void close(const std::string& unit, std::string_view state) {
        service_life life = std::move(open_.extract(unit).mapped());
        life.to = last_;
        life.state = state;
        lives_.push_back(std::move(life));
    }

    // Their daemon was killed: nothing tells when they ended.
    void close_all_before(system_clock::time_point limit) {
        std::vector<std::string> units;
        for (const auto& [unit, life] : open_) {
            if (life.from < limit) units.push_back(unit);
        }
        for (const auto& unit : units) {
            if (open_[unit].end.empty()) open_[unit].end = "its daemon was killed";
            close(unit, "lost");
        }
    }

    std::map<std::string, service_life> open_;
    std::vector<service_life> lives_;
    system_clock::time_point last_;
    system_clock::time_point daemon_started_;
};

}  // namespace

std::vector<service_life> service_lives(const lifecycle::instance& where,
                                        const std::vector<unit_view>& units) {
    life_reader reader;
    constexpr std::array messages{changed, ended, starting, ready};
    const auto take = [&](std::string_view line) {
        const bool matters = std::any_of(messages.begin(), messages.end(), [&](std::string_view message) {
            return line.find(message) != std::string_view::npos;
        });
        if (matters) reader.take(util::parse_log_record(line));
        return true;
    };
    for (const auto& file : util::open_log_files(where.daemon_log_path()))
        util::read_lines(file, 0, take);
    return reader.finish(units);
}

}  // namespace hob::cmd
