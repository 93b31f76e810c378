// Kubernetes: a Deployment for each service, a CronJob for each task with times, a Job for the others.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cmd/export/writers.hpp"
#include "cmd/export/yaml_text.hpp"
#include "cmd/formats/draft.hpp"

namespace hob::cmd {
namespace {

using unit::service_spec;
using unit::task_spec;
using unit::unit_kind;
using unit::unit_spec;

constexpr std::size_t name_max = 52;  // of a CronJob, the shortest of the limits
constexpr std::size_t label_max = 63;

// The lines of a block, further in.
std::string indented(const std::string& block, int columns) {
    std::string text;
    const std::string blanks(static_cast<std::size_t>(columns), ' ');
    for (std::size_t at = 0; at < block.size();) {
        const auto end = std::min(block.find('\n', at), block.size() - 1);
        text += blanks + block.substr(at, end + 1 - at);
        at = end + 1;
    }
    return text;
}

// A label of DNS: lower-case letters, digits and '-'.
std::string dns_name(const std::string& name, std::set<std::string>& taken) {
    std::string text;
    for (const char c : name) {
        const bool upper = c >= 'A' && c <= 'Z';
        const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && !text.empty());
        text += upper ? static_cast<char>(c - 'A' + 'a') : good ? c : '-';
    }
    text.resize(std::min(text.size(), name_max - 4));
    while (text.ends_with('-'))
        text.pop_back();
    while (text.starts_with('-'))
        text.erase(0, 1);
    if (text.empty()) text = "unit";
    std::string unique = text;
    for (int n = 2; !taken.insert(unique).second; ++n)
        unique = fmt::format("{}-{}", text, n);
    return unique;
}

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A label's value, of a text that has only letters, digits, '-', '_' and '.'. Empty: nothing is left.
std::string label_value(std::string text) {
    while (!text.empty() && !is_alphanumeric(text.front()))
        text.erase(0, 1);
    text.resize(std::min(text.size(), label_max));
    while (!text.empty() && !is_alphanumeric(text.back()))
        text.pop_back();
    return text;
}

bool is_key(std::string_view name) {
    return !name.empty() && (name[0] < '0' || name[0] > '9') && name != "." && !name.starts_with("..") &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; });
}

// Kubernetes expands $(NAME) in commands.
std::vector<std::string> unexpanded_words(std::vector<std::string> words) {
    for (auto& word : words)
        for (auto at = word.find("$("); at != std::string::npos; at = word.find("$(", at + 3))
            word.insert(at, "$");
    return words;
}

class kubernetes_writer {
public:
    kubernetes_writer(const export_request& request, const unit_spec& unit, const std::string& name,
                      export_result& result)
        : request_(request), unit_(unit), name_(name), notes_(unit, result) {}

    // Empty: nothing can stand for it.
    std::string document() {
        if (unit_.kind == unit_kind::worker) {
            notes_.add("not exported: nothing in Kubernetes answers calls");
            return {};
        }
        if (name_ != unit_.name) notes_.add(fmt::format("it is called '{}'", name_));
        if (!unit_.after.empty()) notes_.add(fmt::format("nothing waits for {}", joined(unit_.after)));
        if (unit_.on_failure) notes_.add("without on_failure");
        notes_.add_further_keys(request_, {"time_zone", "tty", "stdin", "health", "memory_max"});
        if (unit_.stop.signal != SIGTERM) notes_.add("without stop.signal: the image says it (STOPSIGNAL)");
        const std::string text = unit_.kind == unit_kind::service ? deployment() : job();
        return notes_.comments() + text;
    }
    std::string comments() const { return notes_.comments(); }

private:
    std::string metadata() const {
        const std::string project = label_value(request_.project);
        const std::string part_of =
            project.empty() ? project
                            : fmt::format("    app.kubernetes.io/part-of: {}\n", yaml_string(project));
        return fmt::format("metadata:\n  name: {0}\n  labels:\n    app.kubernetes.io/name: {0}\n",
                           yaml_string(name_)) +
               part_of;
    }

    std::string deployment() {
        const auto& service = std::get<service_spec>(unit_.detail);
        if (service.restart != unit::restart_policy::always)
            notes_.add("restart: Kubernetes restarts it whenever it ends");
        if (service.max_restarts != 0) notes_.add("without max_restarts");
        if (service.watchdog) notes_.add("without watchdog");
        const std::string labels = fmt::format("app.kubernetes.io/name: {}\n", yaml_string(name_));
        const std::string inner = container(ready(service.ready) + health(service));
        return "apiVersion: apps/v1\nkind: Deployment\n" + metadata() +
               "spec:\n  replicas: 1\n  selector:\n    matchLabels:\n" + indented(labels, 6) +
               "  template:\n    metadata:\n      labels:\n" + indented(labels, 8) + "    spec:\n" +
               indented(pod(inner), 6);
    }
    std::string job() {
        const auto& task = std::get<task_spec>(unit_.detail);
        if (task.on_start) notes_.add("without on_start");
        if (task.jitter.count() != 0) notes_.add("without jitter");
        std::string spec = fmt::format("backoffLimit: {}\n", task.retry.max);
        if (task.timeout)
            spec += fmt::format("activeDeadlineSeconds: {}\n",
                                std::max<std::int64_t>(1, (task.timeout->count() + 999) / 1000));
        spec += "template:\n  metadata:\n    labels:\n      app.kubernetes.io/name: " + yaml_string(name_) +
                "\n  spec:\n    restartPolicy: Never\n" + indented(pod(container({})), 4);
        const auto times = cron_text(task);
        if (times) return cron_job(task, *times, spec);
        if (task.every) notes_.add("without every: a CronJob cannot express its period");
        notes_.add(
            fmt::format("a Job runs once: suspended, it waits for `kubectl patch job {} -p "
                        "'{{\"spec\":{{\"suspend\":false}}}}'`",
                        name_));
        return "apiVersion: batch/v1\nkind: Job\n" + metadata() + "spec:\n  suspend: true\n" +
               indented(spec, 2);
    }
    std::string cron_job(const task_spec& task, const std::string& times, const std::string& spec) {
        if (task.overlap == unit::overlap_policy::queue)
            notes_.add("overlap: a run that is due while one goes on is skipped");
        if (task.every) notes_.add("every: its times are those of the clock");
        if (!task.time_zone) notes_.add("its times are those of the cluster, often UTC");
        const std::string zone = task.time_zone
                                     ? fmt::format("  timeZone: {}\n", yaml_string(task.time_zone->name()))
                                     : std::string();
        return "apiVersion: batch/v1\nkind: CronJob\n" + metadata() +
               fmt::format("spec:\n  schedule: {}\n{}  concurrencyPolicy: {}\n  jobTemplate:\n    spec:\n",
                           yaml_string(times), zone,
                           task.overlap == unit::overlap_policy::cancel ? "Replace" : "Forbid") +
               indented(spec, 6);
    }

    std::string pod(const std::string& container) {
        const auto seconds = std::max<std::int64_t>(0, (unit_.stop.timeout.count() + 999) / 1000);
        return fmt::format("terminationGracePeriodSeconds: {}\ncontainers:\n", seconds) + container;
    }
    // `further`: lines of the container, such as its probe.
    std::string container(const std::string& further) {
        return fmt::format("  - name: {}\n    image: {}\n    command: {}\n", yaml_string(name_),
                           yaml_string(request_.image), yaml_list(unexpanded_words(command()))) +
               (unit_.tty ? "    tty: true\n" : "") +
               (unit_.tty || unit_.input == unit::input_source::open ? "    stdin: true\n" : "") +
               environment() + memory() + indented(further, 4);
    }
    std::string memory() const {
        const auto bytes = unit_.resources.memory_max;
        return bytes == 0 ? std::string()
                          : fmt::format("    resources:\n      limits:\n        memory: \"{}\"\n", bytes);
    }
    std::vector<std::string> command() {
        std::vector<std::string> words = command_words(unit_.run, unit_.name);
        if (unit_.cwd == request_.root) return words;
        if (!unit_.cwd.starts_with(request_.root + "/")) {
            notes_.add(fmt::format("without cwd '{}': it is outside of the project", unit_.cwd));
            return words;
        }
        // The image has its own directory for the project, and cwd is within that.
        const std::string inside = unit_.cwd.substr(request_.root.size() + 1);
        words.insert(words.begin(), {"/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", inside});
        return words;
    }

    std::string environment() {
        std::string variables, secrets;
        std::vector<std::string> named;
        for (const auto& name : variable_names(unit_, request_.config)) {
            if (!is_key(name)) {
                notes_.add(fmt::format("without the variable '{}': a Secret cannot have that key", name));
                continue;
            }
            named.push_back(name);
            variables += fmt::format(
                "      - name: {0}\n        valueFrom:\n          secretKeyRef:\n            name: {1}\n     "
                "       key: {0}\n",
                yaml_string(name), yaml_string(name_ + "-env"));
        }
        for (const auto& [name, port] : request_.config.ports) {
            if (std::find(named.begin(), named.end(), name) == named.end())
                variables +=
                    fmt::format("      - name: {}\n        value: \"{}\"\n", yaml_string(name), port);
        }
        if (!named.empty())
            notes_.add(
                fmt::format("the values of {} come from the Secret '{}-env': kubectl create secret generic "
                            "{}-env --from-env-file=FILE",
                            joined(named), name_, name_));
        for (std::size_t i = 0; i < unit_.env_files.size(); ++i)
            secrets += secret_of_file(unit_.env_files[i], i);
        std::string text;
        if (!variables.empty()) text += "    env:\n" + variables;
        if (!secrets.empty()) text += "    envFrom:\n" + secrets;
        return text;
    }
    std::string secret_of_file(const unit::env_file_spec& file, std::size_t index) {
        const std::string secret =
            index == 0 ? name_ + "-env-file" : fmt::format("{}-env-file-{}", name_, index + 1);
        notes_.add(fmt::format("env_file: kubectl create secret generic {} --from-env-file={}", secret,
                               file.path.substr(file.path.rfind('/') + 1)));
        return fmt::format("      - secretRef:\n          name: {}\n{}", yaml_string(secret),
                           file.required ? "" : "          optional: true\n");
    }

    std::string ready(const unit::ready_spec& ready) {
        if (ready.form == unit::ready_form::started) return {};
        if (ready.form == unit::ready_form::delay) {
            if (ready.delay.count() == 0) return {};
            return fmt::format(
                "readinessProbe:\n  exec:\n    command: [\"true\"]\n  initialDelaySeconds: {}\n",
                whole_seconds(ready.delay));
        }
        const std::string action = probe("ready", "readiness", ready);
        return action.empty() ? action : "readinessProbe:\n" + action + "  periodSeconds: 2\n";
    }
    // Kubernetes begins with it before the service is ready, so it must not count until then.
    std::string health(const service_spec& service) {
        if (!service.health) return {};
        const auto& health = *service.health;
        const std::string action = probe("health", "liveness", health.probe);
        if (action.empty()) return {};
        std::string text =
            "livenessProbe:\n" + action +
            fmt::format("  periodSeconds: {}\n  timeoutSeconds: {}\n  failureThreshold: {}\n",
                        whole_seconds(health.every), whole_seconds(health.timeout), health.failures);
        if (service.ready.form == unit::ready_form::started) return text;
        const auto start = service.ready.timeout + service.ready.delay;
        return text + "startupProbe:\n" + action +
               fmt::format("  periodSeconds: 2\n  timeoutSeconds: {}\n  failureThreshold: {}\n",
                           whole_seconds(health.timeout), (whole_seconds(start) + 1) / 2);
    }
    static std::int64_t whole_seconds(std::chrono::milliseconds time) {
        return std::max<std::int64_t>(1, (time.count() + 999) / 1000);
    }
    // What a probe does. Empty, with a note: Kubernetes has nothing like it.
    std::string probe(std::string_view key, std::string_view called, const unit::ready_spec& ready) {
        const std::string written = with_ports(ready.written);
        const bool known = written.find("${") == std::string::npos;
        std::string action;
        if (ready.form == unit::ready_form::exec) {
            action =
                "exec:\n  command: " + yaml_list(unexpanded_words(command_words(*ready.exec, unit_.name))) +
                "\n";
        } else if (ready.form == unit::ready_form::tcp && known) {
            const std::string port =
                written.empty() ? std::to_string(ready.port) : written.substr(written.rfind(':') + 1);
            action = fmt::format("tcpSocket:\n  port: {}\n", port);
        } else if (ready.form == unit::ready_form::http && known) {
            action = http_probe(written.empty() ? ready.url : written);
        } else {
            notes_.add(fmt::format("without {}.{}", key, unit::name_of(ready.form)));
            return {};
        }
        if (ready.form != unit::ready_form::exec)
            notes_.add(fmt::format(
                "the {} probe comes from outside: it must listen on all addresses, not on localhost",
                called));
        if (ready.status) notes_.add(fmt::format("without {}.http.status", key));
        return indented(action, 2);
    }
    // Of the variables, only those of [ports] have values here.
    std::string with_ports(std::string text) const {
        for (const auto& [name, port] : request_.config.ports) {
            const std::string reference = "${" + name + "}";
            for (auto at = text.find(reference); at != std::string::npos; at = text.find(reference, at))
                text.replace(at, reference.size(), std::to_string(port));
        }
        return text;
    }
    // "http://HOST[:PORT][/PATH]"
    static std::string http_probe(const std::string& url) {
        std::string_view rest = std::string_view(url).substr(url.find("://") + 3);
        const auto slash = std::min(rest.find('/'), rest.size());
        const std::string_view host = rest.substr(0, slash);
        const auto colon = host.rfind(':');
        const bool has_port =
            colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
        const std::string path(slash < rest.size() ? rest.substr(slash) : std::string_view("/"));
        return fmt::format("httpGet:\n  path: {}\n  port: {}\n", yaml_string(path),
                           has_port ? host.substr(colon + 1) : std::string_view("80"));
    }

    const export_request& request_;
    const unit_spec& unit_;
    const std::string& name_;
    note_list notes_;
};

}  // namespace

export_result export_kubernetes(const export_request& request) {
    export_result result;
    std::set<std::string> names;
    std::string text =
        "# Written by hob export. The image must have the programs and files of the project.\n";
    bool any = false;
    for (const auto* unit : request.units) {
        const std::string name = dns_name(unit->name, names);
        kubernetes_writer writer(request, *unit, name, result);
        const std::string document = writer.document();
        text += document.empty() ? "# " + unit->name + "\n" + writer.comments() : "---\n" + document;
        any = any || !document.empty();
    }
    if (any) result.files.push_back({request.project + ".yaml", text});
    return result;
}

}  // namespace hob::cmd
