#pragma once
// What the daemon passes to its units.

#include <sys/resource.h>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lifecycle/keeper_link.hpp"
#include "unit/store/store.hpp"

namespace hob::unit {

struct registry_options {
    boost::asio::any_io_executor executor;
    std::string instance_key;
    std::string state_dir;  // of the instance: unit logs go to log/<unit>.log in it
    // K=V, as the daemon was given it; units do not get HOB_* and terminal variables of it.
    std::vector<std::string> base_environment;
    rlimit unit_nofile{};  // RLIMIT_NOFILE of units; rlim_max 0: the daemon's own
    store& db;
    lifecycle::keeper_link* keeper = nullptr;  // nullptr: there is none
    bool goes_on = false;                      // with what a daemon before this one has left with the keeper
    std::string ports_path{};  // see port_reservations_path(); empty: there are no [ports]
    std::string root{};        // of the project: patterns of files are relative to it
    std::uint64_t log_max_size = 10u << 20;
    int log_max_files = 5;
    // Events for subscribers: unit.state {"unit","kind","from","to","pid"?}, worker.notification
    // {"unit","method","params"}, worker.activity {"unit","activity"}.
    std::function<void(std::string_view event, std::string params_raw)> publish;
    // Gets each line that a unit writes to its log; may be empty.
    std::function<void(std::string_view unit, std::string_view line)> show_line{};
    // status() or anything_running() changed. Not called for calls_in_flight(), which the caller knows.
    std::function<void()> changed;
};

}  // namespace hob::unit
