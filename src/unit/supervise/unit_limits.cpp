#include "unit/supervise/unit_limits.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "limits.hpp"
#include "util/duration.hpp"
#include "util/fd.hpp"
#include "util/log/log.hpp"
#include "util/proc.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;
using util::level;

namespace {

constexpr std::size_t rollup_max = 8u << 10;

// nullopt: not readable, as of a process that another user runs.
std::optional<std::uint64_t> proportional_bytes(pid_t pid) {
    constexpr std::string_view key = "\nPss:";
    const auto text = util::read_file(fmt::format("/proc/{}/smaps_rollup", pid), rollup_max);
    const auto at = text ? text->find(key) : std::string::npos;
    if (at == std::string::npos) return std::nullopt;
    const auto begin = text->find_first_not_of(' ', at + key.size());
    if (begin == std::string::npos) return std::nullopt;
    std::uint64_t kib = 0;
    std::from_chars(text->data() + begin, text->data() + text->size(), kib);
    return kib * 1024;
}

std::uint64_t resident_bytes(pid_t pid) {
    static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const auto process = util::read_proc_stat(pid);
    return process ? process->rss_pages * page : 0;
}

std::vector<std::string> without_effect(const resource_spec& wanted, const controllers& limited) {
    std::vector<std::string> keys;
    if (wanted.pids_max > 0 && !limited.pids) keys.push_back("pids_max");
    if (wanted.cpu_weight != resource_spec().cpu_weight && !limited.cpu) keys.push_back("cpu_weight");
    return keys;
}

// Until the next look. False: there is none.
asio::awaitable<bool> look_again(std::shared_ptr<util::manual_reset_event> over) {
    co_await util::first_of(over->wait(), util::pause(limits::memory_look));
    co_return !over->is_set();
}

}  // namespace

bool has_limits(const resource_spec& resources) { return !(resources == resource_spec()); }

std::uint64_t memory_of(const std::vector<member>& processes) {
    std::uint64_t sum = 0;
    for (const auto& process : processes) {
        const auto bytes = proportional_bytes(process.pid);
        sum += bytes ? *bytes : resident_bytes(process.pid);
    }
    return sum;
}

unit_limits::unit_limits(asio::any_io_executor executor, const resource_spec& wanted,
                         std::function<std::vector<member>()> tree)
    : executor_(std::move(executor)), wanted_(wanted), tree_(std::move(tree)) {}

unit_limits::~unit_limits() { end(); }

void unit_limits::begin(const std::string& unit, const unit_cgroup& cgroup) {
    if (!has_limits(wanted_)) return;
    begun_ = true;
    if (!cgroup.path().empty()) limited_ = cgroup.limited();
    const auto unheeded = without_effect(wanted_, limited_);
    if (!unheeded.empty()) {
        util::log(level::warning, "unit", "limits of a unit have no effect without a cgroup",
                  {field("unit", unit), field("keys", fmt::format("{}", fmt::join(unheeded, ", ")))});
    }
    if (wanted_.memory_max == 0 || limited_.memory) return;
    over_ = std::make_shared<util::manual_reset_event>(executor_);
    util::spawn(executor_, measure(over_), "memory of " + unit);
}

void unit_limits::end() {
    if (over_) std::exchange(over_, nullptr)->set();
}

// `over` is set when this is no more.
asio::awaitable<void> unit_limits::measure(std::shared_ptr<util::manual_reset_event> over) {
    bool again = true;
    while (again) {
        again = co_await look_again(over);
        if (again) again = !memory_exceeded();
    }
}

bool unit_limits::memory_exceeded() {
    const auto processes = tree_();
    const std::uint64_t bytes = memory_of(processes);
    if (bytes <= wanted_.memory_max) return false;
    exceeded_ = util::format_size(bytes);
    for (const auto& process : processes)
        signal_member(process, SIGKILL);
    return true;
}

std::string unit_limits::reached(const std::string& cgroup) const {
    const std::string limit = "memory limit " + util::format_size(wanted_.memory_max);
    if (!exceeded_.empty()) return fmt::format("{} (it used {})", limit, exceeded_);
    if (cgroup.empty()) return {};
    const auto verdict = memory_verdict(cgroup);
    if (verdict == out_of_memory::elsewhere) return "the machine or its container was out of memory";
    return verdict == out_of_memory::own_limit && limited_.memory ? limit : std::string();
}

void unit_limits::add_to(unit_status& status) const {
    if (!begun_) return;
    status.resources = wanted_;
    status.memory_measured = wanted_.memory_max > 0 && !limited_.memory;
    status.without_effect = without_effect(wanted_, limited_);
    if (status.detail.empty() && !status.without_effect.empty())
        status.detail = fmt::format("without effect here: {}", fmt::join(status.without_effect, ", "));
}

}  // namespace hob::unit
