#pragma once
// A verb is one record in the verb's own file. It has both halves: what the client runs, and the methods that
// the daemon answers for it. One table (cmd/commands.cpp) lists the records; help, completion and the tests
// read them.

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exit_code.hpp"
#include "ipc/message.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {
struct instance;
}

namespace hob::ipc {
class session;
}

namespace hob::cmd {

enum class daemon_need {
    none,     // has nothing to do with a daemon
    looking,  // never starts one, never executes anything from the configuration
    acting,   // starts one if there is none
};

// Whether a verb is about units of hob.toml, so that there must be one.
enum class unit_use {
    none,
    named,    // with operands
    unnamed,  // without operands
    all,
};

// What the operands of a verb name, for completion.
// attachable: a unit that clients can be attached to. history: a unit that the history of runs is about.
// topic: a verb or a key of the configuration file.
enum class operand_kind { none, unit, worker, attachable, task, history, topic, shell, file };

struct option_row {
    std::string_view name;        // long name, and ",x" for a short one: "follow,f"
    std::string_view value;       // the name of its value in help: "N"; empty for a flag
    std::string_view help;        // one line, no full stop
    std::string_view words = {};  // the possible values, separated by blanks; empty: others
};

// What a handler works on. The program defines it: nothing here looks inside.
struct handler_context;

// The daemon's half: one method of the wire. Exactly one of the two handlers is set. Either returns the
// result as raw JSON or throws failure.
struct method_row {
    std::string_view name;
    // Answers at once and must not block.
    std::string (*handler)(handler_context, ipc::session&, const ipc::request&) = nullptr;
    // A coroutine; cancelled when its client hangs up.
    boost::asio::awaitable<std::string> (*async_handler)(handler_context, std::shared_ptr<ipc::session>,
                                                         ipc::request) = nullptr;
    bool while_draining = false;  // a daemon that shuts down still answers it
};

struct global_options {
    std::optional<std::string> directory;  // -C
    std::optional<std::string> instance;   // --instance
    std::optional<std::string> host;       // -H
    bool json = false;
    std::optional<std::chrono::milliseconds> timeout;  // --timeout: the one deadline from start to last byte
    bool no_spawn = false;
    bool quiet = false;
    bool verbose = false;
};

// One parsed command line.
class invocation {
public:
    global_options global;
    std::vector<std::string> operands;               // before "--"
    std::vector<std::string> command;                // after "--": no options of this program
    util::deadline limit = util::deadline::never();  // of --timeout

    bool has(std::string_view option) const;                          // by long name
    std::optional<std::string> value(std::string_view option) const;  // the last one given
    const lifecycle::instance& where();  // resolved at the first call; throws failure
    util::deadline limit_or(
        std::chrono::milliseconds otherwise) const;  // --timeout, else `otherwise` from now

    std::vector<std::pair<std::string, std::string>> options;  // long name, value ("" for a flag)

private:
    std::shared_ptr<const lifecycle::instance> where_;  // shared, because the type is incomplete here
};

struct command {
    std::string_view name;
    std::string_view summary;      // one line, lower case, no full stop
    std::string_view usage;        // operands: "UNIT METHOD [PARAMS...]"
    std::string_view description;  // a few sentences for the help of the verb; lines of at most 78 columns
    daemon_need need = daemon_need::none;
    unit_use units = unit_use::none;
    operand_kind completes = operand_kind::none;
    std::string_view first_words = {};  // completion of the first operand, separated by blanks
    int operands_min = 0;
    int operands_max = 0;  // -1: any number
    std::span<const option_row> options = {};
    void (*check)(const invocation&) = nullptr;  // operands and options together; throws failure(usage)
    exit_code (*run)(invocation&) = nullptr;
    std::span<const method_row> methods = {};
    bool passes_status = false;  // exits with another program's status; its own failures are run_failed
    bool takes_command = false;  // "-- CMD..." is meaningful
    bool notes_config = false;   // says in a line when the configuration file has changed
    bool reads_input = false;    // what it is for may need standard input
};

// Every verb, sorted by name.
std::span<const command* const> all_commands();
const command* find_command(std::string_view name);

// The options that may stand anywhere before "--".
std::span<const option_row> global_option_rows();

}  // namespace hob::cmd
