// compose.yaml: the services that have a command. Images are not run; what they would add is named.

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>
#include <set>

#include "cmd/formats/compose_values.hpp"
#include "cmd/formats/dockerfile.hpp"
#include "cmd/formats/json_file.hpp"
#include "cmd/formats/readers.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

// The members of a service that it shares by `extends`: maps are merged, other values replaced.
json::object extended(const json::object& base, const json::object& own) {
    json::object merged = base;
    for (const auto& member : own) {
        json::value& target = merged[member.key()];
        if (target.is_object() && member.value().is_object()) {
            for (const auto& inner : member.value().get_object())
                target.get_object()[inner.key()] = inner.value();
        } else {
            target = member.value();
        }
    }
    for (const char* key : {"depends_on", "links"})
        if (!own.contains(key)) merged.erase(key);
    return merged;
}

class compose_reader {
public:
    compose_reader(const json::object& services, const std::string& path, import_collector& found)
        : services_(services), file_(path.substr(path.rfind('/') + 1)), found_(found) {
        find_tasks();
    }

    void read() {
        for (const auto& member : services_) {
            const std::string name(member.key());
            found_.entry(name, [&] {
                if (!member.value().is_object())
                    throw unimportable(fmt::format("it must be a map, not {}", kind_of(member.value())));
                return service(name, resolved(member.value().get_object(), 0));
            });
        }
    }

private:
    // What another waits for to complete is a task.
    void find_tasks() {
        for (const auto& member : services_) {
            const json::object* all =
                member.value().if_object() ? object_of(member.value().get_object(), "depends_on") : nullptr;
            if (all == nullptr) continue;
            for (const auto& each : *all) {
                const json::object* one = each.value().if_object();
                const json::value* condition = one != nullptr ? one->if_contains("condition") : nullptr;
                if (condition && *condition == "service_completed_successfully") tasks_.insert(each.key());
            }
        }
    }
    json::object resolved(const json::object& entry, int depth) const {
        const json::value* extends = entry.if_contains("extends");
        if (extends == nullptr) return entry;
        std::string base = scalar_of(*extends).value_or("");
        if (const json::object* table = extends->if_object()) {
            if (table->contains("file")) throw unimportable("it extends a service of another file");
            base = text_of(*table, "service").value_or("");
        }
        const json::object* members = object_of(services_, base);
        if (members == nullptr || depth > 16)
            throw unimportable(fmt::format("it extends '{}', which is no service of this file", base));
        return extended(resolved(*members, depth + 1), entry);
    }

    imported_unit service(const std::string& name, const json::object& entry) {
        imported_unit unit;
        unit.kind = tasks_.contains(name) ? unit::unit_kind::task : unit::unit_kind::service;
        set_run(entry, unit);
        set_directory(entry, unit);
        set_environment(name, entry, unit);
        set_after(entry, unit);
        if (unit.kind == unit::unit_kind::service) set_ready(entry, unit);
        set_restart(entry, unit);
        if (unit.kind == unit::unit_kind::service) set_compose_health(entry, unit);
        set_compose_limits(entry, unit);
        set_stop(entry, unit);
        if (unit.kind == unit::unit_kind::service) set_terminal(entry, unit);
        if (entry.contains("profiles")) set_profiles(entry, unit);
        remark_image(entry, unit);
        remark_others(entry, unit);
        return unit;
    }

    void set_run(const json::object& entry, imported_unit& unit) const {
        const image_command built = command_of_image(entry);
        const json::value* entrypoint = entry.if_contains("entrypoint");
        const json::value* command = entry.if_contains("command");
        const auto add = [&](const std::vector<std::string>& words) {
            for (const auto& word : words)
                unit.run.push_back(literal_word(word));
        };
        if (entrypoint != nullptr) {
            unit.run = compose_command(*entrypoint, "entrypoint");
        } else {
            add(built.entrypoint);
        }
        if (command != nullptr) {
            for (auto& word : compose_command(*command, "command"))
                unit.run.push_back(std::move(word));
        } else if (entrypoint == nullptr) {
            add(built.command);
        }
        const bool has_program = !unit.run.empty() && !unit.run.front().empty();
        if (has_program && !default_text(unit.run.front()).starts_with('-')) {
            if (command == nullptr && entrypoint == nullptr)
                unit.remarks.push_back("its command is that of the Dockerfile");
            return;
        }
        const auto image = text_of(entry, "image");
        throw unimportable(
            image && !entry.contains("build")
                ? fmt::format("its image '{}' has the command, and hob does not run images", *image)
                : "its image has the command, and hob does not run images");
    }

    std::string build_text(const json::object& entry, std::string_view key) const {
        const json::value* build = entry.if_contains("build");
        if (build == nullptr) return {};
        const json::object* table = build->if_object();
        if (table == nullptr) return key == "context" ? scalar_of(*build).value_or("") : std::string();
        return text_of(*table, key).value_or(key == "context" ? "." : "");
    }
    image_command command_of_image(const json::object& entry) const {
        const std::string context = build_text(entry, "context");
        if (context.empty() || !found_.machine.read) return {};
        std::string file = build_text(entry, "dockerfile");
        if (file.empty()) file = "Dockerfile";
        const std::string directory = compose_path(interpolated(context), found_.context);
        const auto text = found_.machine.read(directory + "/" + compose_text(interpolated(file)));
        return text ? read_dockerfile(*text, build_text(entry, "target")) : image_command{};
    }

    // The directory of this machine that the container sees as its working directory.
    void set_directory(const json::object& entry, imported_unit& unit) const {
        const auto inside = text_of(entry, "working_dir");
        const json::value* volumes = entry.if_contains("volumes");
        if (inside && volumes != nullptr) {
            for (const auto& bind : compose_binds(*volumes)) {
                std::string target = bind.target;
                while (target.size() > 1 && target.ends_with('/'))
                    target.pop_back();
                if (*inside != target && !inside->starts_with(target == "/" ? target : target + "/"))
                    continue;
                const std::string source = compose_path(interpolated(bind.source), found_.context);
                unit.cwd =
                    parse_path("working_dir", source + "/" + inside->substr(target.size()), found_.context);
                return;
            }
        }
        if (inside)
            unit.remarks.push_back(fmt::format("without working_dir '{}': it is in the container", *inside));
        const std::string context = build_text(entry, "context");
        const bool is_url = context.find("://") != std::string::npos || context.starts_with("git@");
        if (!is_url && !context.empty())
            unit.cwd =
                parse_path("build", compose_path(interpolated(context), found_.context), found_.context);
    }

    void set_environment(const std::string& name, const json::object& entry, imported_unit& unit) const {
        if (const json::value* files = entry.if_contains("env_file")) set_env_files(*files, unit);
        if (const json::value* all = entry.if_contains("environment")) {
            for (const auto& [variable, value] : compose_pairs(*all, "environment")) {
                try {
                    import_word word = compose_variable(variable, value);
                    remark_host(name, variable, default_text(word), unit);
                    unit.env.emplace_back(variable, std::move(word));
                } catch (const unimportable& why) {
                    unit.remarks.push_back(fmt::format("without the variable {}: {}", variable, why.what()));
                }
            }
        }
        const auto has_variable = [](const import_word& word) { return !is_literal(word); };
        const bool interpolates = std::any_of(unit.run.begin(), unit.run.end(), has_variable) ||
                                  std::any_of(unit.env.begin(), unit.env.end(),
                                              [&](const auto& one) { return has_variable(one.second); });
        if (!interpolates || !found_.has_file(".env")) return;
        const std::string path = parse_path(".env", found_.context.folder + "/.env", found_.context);
        const bool listed = std::any_of(unit.env_files.begin(), unit.env_files.end(),
                                        [&](const auto& file) { return file.path == path; });
        if (!listed) unit.env_files.insert(unit.env_files.begin(), {path, false});
    }
    void set_env_files(const json::value& value, imported_unit& unit) const {
        const json::array one{value};
        for (const auto& item : value.is_array() ? value.get_array() : one) {
            const json::object* table = item.if_object();
            const auto path = table != nullptr ? text_of(*table, "path") : scalar_of(item);
            if (!path) throw unimportable("its 'env_file' must hold paths");
            const json::value* required = table != nullptr ? table->if_contains("required") : nullptr;
            unit.env_files.push_back(
                {parse_path("env_file", compose_path(interpolated(*path), found_.context), found_.context),
                 !(required != nullptr && *required == false)});
        }
    }
    // Containers find each other by the names of services. Only the variable is named: it may hold a
    // password.
    void remark_host(const std::string& self, const std::string& variable, const std::string& value,
                     imported_unit& unit) const {
        for (const auto& member : services_) {
            const std::string_view host = member.key();
            const auto at = value.find(host);
            if (host == self || at == std::string::npos) continue;
            const char before = at > 0 ? value[at - 1] : '/';
            const char after = at + host.size() < value.size() ? value[at + host.size()] : '/';
            const bool is_host = (before == '/' || before == '@') && (after == ':' || after == '/') &&
                                 (at > 0 || after == ':' || variable.ends_with("HOST"));
            if (is_host)
                unit.remarks.push_back(
                    fmt::format("{} names the host '{}', which only containers know: here it is localhost",
                                variable, host));
        }
    }

    void set_after(const json::object& entry, imported_unit& unit) const {
        const json::value* all = entry.if_contains("depends_on");
        if (const json::object* table = all != nullptr ? all->if_object() : nullptr) {
            for (const auto& member : *table) {
                const json::object* one = member.value().if_object();
                unit.after.push_back({std::string(member.key()), one != nullptr && is_true(*one, "restart")});
            }
        } else if (all != nullptr) {
            for (auto& name : compose_texts(*all))
                unit.after.push_back({std::move(name)});
        }
        const json::value* links = entry.if_contains("links");
        for (const auto& link : links != nullptr ? compose_texts(*links) : std::vector<std::string>()) {
            const std::string name = link.substr(0, link.find(':'));
            const bool known = std::any_of(unit.after.begin(), unit.after.end(),
                                           [&](const auto& one) { return one.entry == name; });
            if (!known) unit.after.push_back({name});
        }
        if (unit.kind == unit::unit_kind::task)
            for (auto& one : unit.after)
                one.restart = false;
    }

    void set_ready(const json::object& entry, imported_unit& unit) const {
        const json::object* check = object_of(entry, "healthcheck");
        const bool off = check != nullptr && is_true(*check, "disable");
        const json::value* test = check != nullptr && !off ? check->if_contains("test") : nullptr;
        const json::value* listed = entry.if_contains("ports");
        const auto ports = listed != nullptr ? compose_ports(*listed) : std::vector<compose_port>();
        for (const auto& port : ports) {
            const import_word target = interpolated(port.target), published = interpolated(port.published);
            if (is_literal(target) && !published.empty() && default_text(published) != default_text(target))
                unit.remarks.push_back(fmt::format("it listens on {} itself: nothing maps another port to it",
                                                   literal_text(target)));
        }
        const std::string probe = test != nullptr ? compose_check(*check) : std::string();
        if (!probe.empty()) {
            unit.keys.emplace_back("ready", probe);
            return;
        }
        const auto tcp = std::find_if(ports.begin(), ports.end(), [](const auto& port) { return port.tcp; });
        if (tcp == ports.end()) return;
        const std::string ready = compose_port_ready(interpolated(tcp->target));
        if (!ready.empty()) unit.keys.emplace_back("ready", ready);
    }

    static void set_restart(const json::object& entry, imported_unit& unit) {
        std::string policy;
        if (const json::value* value = entry.if_contains("restart")) policy = scalar_of(*value).value_or("");
        const json::object* deploy = object_of(entry, "deploy");
        const json::object* given = deploy != nullptr ? object_of(*deploy, "restart_policy") : nullptr;
        if (given != nullptr && policy.empty()) {
            policy = text_of(*given, "condition").value_or("any");
            if (policy == "any") policy = "always";
        }
        const std::string_view name = std::string_view(policy).substr(0, policy.find(':'));
        const std::string count =
            name.size() < policy.size() ? policy.substr(name.size() + 1) : std::string();
        const bool counts = !count.empty() && count.find_first_not_of("0123456789") == std::string::npos &&
                            count.size() < 7 && count != "0";
        if (unit.kind == unit::unit_kind::task) {
            if (counts) unit.keys.emplace_back("retry", fmt::format("{{ max = {} }}", count));
            return;
        }
        const std::string_view word = name == "always" || name == "unless-stopped" ? "always"
                                      : name == "on-failure"                       ? "on-failure"
                                                                                   : "never";
        unit.keys.emplace_back("restart", fmt::format("\"{}\"", word));
        if (counts) unit.keys.emplace_back("max_restarts", count);
    }

    static void set_stop(const json::object& entry, imported_unit& unit) {
        std::string stop;
        if (const auto signal = text_of(entry, "stop_signal")) stop = "signal = " + toml_string(*signal);
        if (const json::value* grace = entry.if_contains("stop_grace_period")) {
            if (const auto timeout = compose_duration(*grace))
                stop += (stop.empty() ? "timeout = " : ", timeout = ") + toml_duration(*timeout);
        }
        if (!stop.empty()) unit.keys.emplace_back("stop", "{ " + stop + " }");
    }

    // A terminal has an input, too.
    static void set_terminal(const json::object& entry, imported_unit& unit) {
        if (is_true(entry, "tty")) {
            unit.keys.emplace_back("tty", "true");
        } else if (is_true(entry, "stdin_open")) {
            unit.keys.emplace_back("stdin", "\"open\"");
        }
    }

    void set_profiles(const json::object& entry, imported_unit& unit) const {
        unit.keys.emplace_back("enabled", "false");
        std::string names;
        for (const auto& name : compose_texts(*entry.if_contains("profiles")))
            names += (names.empty() ? "" : ", ") + name;
        unit.remarks.push_back(fmt::format("only in profiles {}: here it starts when it is named", names));
    }

    static void remark_image(const json::object& entry, imported_unit& unit) {
        if (entry.contains("build")) {
            unit.remarks.push_back("no image is built: its program runs on this machine");
        } else if (const auto image = text_of(entry, "image")) {
            unit.remarks.push_back(
                fmt::format("the image {} is not run: its program must be installed here", *image));
        }
    }

    static void remark_others(const json::object& entry, imported_unit& unit) {
        json::object others;
        for (const auto& member : entry)
            if (!member.key().starts_with("x-")) others.insert(member);
        if (deploy_is_kept(entry)) others.erase("deploy");
        remark_other_keys(others, {"command",
                                   "entrypoint",
                                   "image",
                                   "build",
                                   "environment",
                                   "env_file",
                                   "working_dir",
                                   "depends_on",
                                   "links",
                                   "healthcheck",
                                   "ports",
                                   "restart",
                                   "stop_signal",
                                   "stop_grace_period",
                                   "profiles",
                                   "extends",
                                   "container_name",
                                   "hostname",
                                   "labels",
                                   "pull_policy",
                                   "platform",
                                   "expose",
                                   "tty",
                                   "stdin_open",
                                   "mem_limit",
                                   "pids_limit",
                                   "cpu_shares"},
                          unit);
    }

    const json::object& services_;
    std::string file_;
    import_collector& found_;
    std::set<std::string, std::less<>> tasks_;
};

}  // namespace

bool read_compose(const json::object& file, const std::string& path, import_collector& found) {
    const json::object* services = object_of(file, "services");
    if (services == nullptr || services->empty()) return false;
    compose_reader(*services, path, found).read();
    for (const char* key : {"include", "networks", "volumes", "secrets", "configs"}) {
        const json::value* value = file.if_contains(key);
        if (value == nullptr || value->is_null()) continue;
        std::string names;
        for (const auto& name : compose_texts(*value))
            names += (names.empty() ? "" : ", ") + name;
        found.note(key, fmt::format("not carried over{}{}", names.empty() ? "" : ": ", names));
    }
    for (const char* beside : {"compose.override.yaml", "compose.override.yml", "docker-compose.override.yml",
                               "docker-compose.override.yaml"}) {
        if (found.has_file(beside)) found.note(beside, "it is beside the file, and was not read");
    }
    return true;
}

}  // namespace hob::cmd
