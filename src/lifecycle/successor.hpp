#pragma once
// The program that takes over from a daemon in its own process: whether it can, and how it is executed.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lifecycle/instance.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

struct successor {
    std::string program;                   // the path
    std::vector<std::string> environment;  // K=V
};

// What must fit between a daemon and its successor. A program says it of itself.
struct successor_facts {
    std::string version;
    std::int64_t protocol = 0;  // of the wire
    std::int64_t keeper = 0;    // of the keeper's socket
    std::int64_t state = 0;     // of what the keeper holds

    bool operator==(const successor_facts&) const = default;
};
successor_facts own_successor_facts();

// The hidden option of the verb `daemon` that makes a program say whether it can take over.
inline constexpr const char* check_option = "--check-successor";
inline constexpr const char* check_without_database_option = "--check-successor=without-database";

// That program's half: `check` gets standard input, and throws why it cannot go on with that. Prints the
// facts, or the failure. Returns the exit code.
int answer_successor_check(const std::function<void(const std::string& input)>& check);

// What a program is to look at.
struct successor_check {
    std::string key;  // of the instance
    std::string root;
    util::unique_fd input;          // a file for the application's part of it; empty: there is nothing
    bool without_database = false;  // the daemon cannot use it either
};

// Asks the program whether it can take over. Throws failure(start_failed, version, config, …): it cannot, or
// does not answer within `limit`.
boost::asio::awaitable<successor_facts> check_successor(boost::asio::any_io_executor executor, successor next,
                                                        successor_check what, util::deadline limit);

// Executes the program in this process, as the keeper would after a death. Returns, with errno, only on
// failure.
void execute_successor(const successor& next, int keeper_socket);

// What this process was executed with; the variable that leads to a keeper is left out.
std::vector<std::string> own_arguments();
std::vector<std::string> own_environment();
std::string own_program_path();  // empty: it has been removed

}  // namespace hob::lifecycle
