#pragma once
// Values of compose.yaml.

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmd/formats/draft.hpp"

namespace hob::cmd {

// `$NAME`, `${NAME}`, `${NAME:-TEXT}` and `${NAME:?TEXT}` become variables, `$$` a `$`. Throws unimportable
// for other forms.
import_word interpolated(std::string_view text);
// The text without variables other than those with a default, which count as their default.
std::string default_text(const import_word& word);

// A text that has to be known now. Throws unimportable for a variable without a default.
std::string compose_text(const import_word& word);
// The same for a path, in which ${PWD} and ${HOME} are known; absolute.
std::string compose_path(import_word word, const import_context& context);

// A command or entrypoint: a list, or a text that is split without a shell. Throws unimportable.
std::vector<import_word> compose_command(const boost::json::value& value, std::string_view key);

// A duration such as "1m30s". nullopt: none.
std::optional<std::chrono::milliseconds> compose_duration(const boost::json::value& value);
// As hob.toml writes it, in quotes.
std::string toml_duration(std::chrono::milliseconds duration);

// A list of KEY=VALUE, or a map. A key without a value has none. Throws unimportable.
std::vector<std::pair<std::string, std::optional<std::string>>> compose_pairs(const boost::json::value& value,
                                                                              std::string_view key);

// A variable of `environment`. Where it throws, the rest of the service may still be of use. Without a value
// it is that of hob's environment. Throws unimportable, also for what hob.toml cannot express.
import_word compose_variable(const std::string& name, const std::optional<std::string>& value);

// A text or a list of texts, or the keys of a map.
std::vector<std::string> compose_texts(const boost::json::value& value);

// The value of `ready` for a healthcheck; empty: it has no test.
std::string compose_check(const boost::json::object& check);

// `health`, if the service is restarted, which its key `restart` says. Compose lets an unhealthy container
// run.
void set_compose_health(const boost::json::object& entry, imported_unit& unit);

// memory_max, pids_max and cpu_weight.
void set_compose_limits(const boost::json::object& entry, imported_unit& unit);
// Nothing of the service's `deploy` is lost.
bool deploy_is_kept(const boost::json::object& entry);

// The value of `ready` for the port of a container; empty: it is a range.
std::string compose_port_ready(const import_word& port);

struct compose_port {
    std::string published;  // empty: chosen by docker
    std::string target;     // in the container; with variables
    bool tcp = true;
};
std::vector<compose_port> compose_ports(const boost::json::value& value);

struct bind_mount {
    std::string source;  // on this machine, as written
    std::string target;  // in the container
};
std::vector<bind_mount> compose_binds(const boost::json::value& value);

}  // namespace hob::cmd
