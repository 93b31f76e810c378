// The units of systemd. Their text is what systemd.service(5) and systemd.socket(5) of version 239 and later
// accept; a setting that an older one does not know is ignored there.

#include <fmt/format.h>

#include "cmd/boot/boot_files.hpp"
#include "cmd/formats/systemd_text.hpp"
#include "error.hpp"
#include "limits.hpp"
#include "util/sha256.hpp"
#include "util/utf8.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view first_line = "# Written by 'hob enable'; 'hob disable' removes it.\n";
constexpr std::string_view digest_line = "# digest: ";
constexpr std::size_t digest_length = 16;

// From the signal to the last exit, beyond shutdown_timeout.
constexpr std::chrono::seconds stop_margin{5};

std::string digest_of(std::string_view text) { return util::sha256_hex(text).substr(0, digest_length); }

// A path as the whole value of a setting.
std::string value_of(const std::string& path) {
    const auto text = systemd_path(path);
    if (text && util::is_utf8(path)) return *text;
    throw failure(error_kind::config, cannot("enable", path), "systemd cannot express this path",
                  "use a directory whose name is UTF-8 and has no line break");
}

class unit_writer {
public:
    explicit unit_writer(const boot_request& request)
        : request_(request),
          name_("hob-" + request.where.key),
          is_system_(request.scope == boot_scope::system) {}

    std::vector<boot_file> files() const {
        std::vector<boot_file> made;
        made.push_back({name_ + ".service", with_head(service(), request_.scope, name_ + ".service")});
        if (has_socket())
            made.push_back({name_ + ".socket", with_head(socket(), request_.scope, name_ + ".socket")});
        return made;
    }

private:
    bool has_socket() const { return request_.where.socket_path().size() <= limits::path_in_sockaddr_max; }

    // The runtime directory of a user exists only while the user is logged in, or this unit asks for it.
    std::string needs() const {
        if (!is_system_) return {};
        std::string text;
        if (request_.where.runtime_dir.starts_with(fmt::format("/run/user/{}/", request_.uid)))
            text += fmt::format("Requires=user-runtime-dir@{0}.service\nAfter=user-runtime-dir@{0}.service\n",
                                request_.uid);
        return text + fmt::format("RequiresMountsFor={}\n", systemd_word(request_.where.root));
    }

    std::string command(const std::vector<std::string>& verb) const {
        std::vector<std::string> words;
        const std::string& key = request_.where.key;
        // The key of a project follows from its directory.
        if (key != "user" && key != lifecycle::project_key(request_.where.root))
            words.insert(words.end(), {"--instance", key});
        if (key != "user") words.insert(words.end(), {"-C", request_.where.root});
        words.insert(words.end(), verb.begin(), verb.end());
        if (request_.program.find_first_of("\"'\\") == std::string::npos) {
            // In the path of the program itself, systemd expands no variables.
            return systemd_word(request_.program) + " " + systemd_command(words);
        }
        // systemd takes no program with such a path, but a shell becomes it.
        words.insert(words.begin(), {"/bin/sh", "-c", "exec \"$0\" \"$@\"", request_.program});
        return systemd_command(words);
    }

    std::string service() const {
        std::string text = fmt::format("[Unit]\nDescription=hob daemon of {}\nDocumentation=man:hob(1)\n",
                                       value_of(request_.where.root));
        text += needs();
        if (is_system_) text += "After=network.target\n";
        if (has_socket()) text += fmt::format("Wants={0}.socket\nAfter={0}.socket\n", name_);
        text += "StartLimitIntervalSec=0\n\n[Service]\nType=notify\nNotifyAccess=all\n";
        text += "ExecStart=" + command({"daemon", "--foreground"}) + "\n";
        text += "ExecReload=" + command({"reload"}) + "\n";
        text += timeouts() + restarts();
        text += "KillMode=mixed\nDelegate=yes\nOOMPolicy=continue\n";
        text += "# What units print is shown by hob logs.\nStandardOutput=null\n";
        if (is_system_) text += fmt::format("User={}\n", request_.user);
        text += environment();
        text +=
            fmt::format("\n[Install]\nWantedBy={}\n", is_system_ ? "multi-user.target" : "default.target");
        if (has_socket()) text += fmt::format("Also={}.socket\n", name_);
        return text + own_section();
    }

    std::string timeouts() const {
        // A start waits for a predecessor that is shutting down.
        const auto start = limits::shutdown_timeout_max + limits::start_timeout * 2;
        const auto stop = std::chrono::ceil<std::chrono::seconds>(request_.shutdown_timeout) + stop_margin;
        return fmt::format("TimeoutStartSec={}\nTimeoutStopSec={}\n",
                           std::chrono::ceil<std::chrono::seconds>(start).count(), stop.count());
    }

    // Status 2: hob.toml is wrong. Status 3: another daemon runs, or something is in the way. The next start
    // would fail likewise.
    static std::string restarts() {
        return "Restart=on-failure\nRestartSec=5\nRestartPreventExitStatus=2 3\n";
    }

    std::string environment() const {
        std::string text;
        for (const auto& [name, value] : request_.environment) {
            if (!util::is_utf8(value))
                throw failure(error_kind::config, cannot("enable", request_.where.root),
                              fmt::format("systemd cannot express the value of {}", name));
            text += fmt::format("Environment={}\n", systemd_word(fmt::format("{}={}", name, value)));
        }
        return text;
    }

    std::string socket() const {
        const std::string& directory = request_.where.runtime_dir;
        std::string text = fmt::format("[Unit]\nDescription=socket of the hob daemon of {}\n{}\n[Socket]\n",
                                       value_of(request_.where.root), needs());
        text += fmt::format("ListenStream={}\nSocketMode=0600\nDirectoryMode=0700\n",
                            value_of(request_.where.socket_path()));
        // Each command that needs the daemon makes systemd try once, also while hob.toml is not valid.
        text += "TriggerLimitIntervalSec=2\nTriggerLimitBurst=50\n";
        // systemd would make the directory for root.
        if (is_system_)
            text += fmt::format(
                "User={0}\nSocketUser={0}\nExecStartPre={1}\n", request_.user,
                systemd_command({"/bin/sh", "-c", "umask 077 && exec mkdir -p \"$0\"", directory}));
        return text + "\n[Install]\nWantedBy=sockets.target\n" + own_section();
    }

    std::string own_section() const {
        return fmt::format("\n[X-Hob]\nRoot={}\nProgram={}\n", request_.where.root, request_.program);
    }

    const boot_request& request_;
    const std::string name_;
    const bool is_system_;
};

}  // namespace

std::vector<boot_file> systemd_units(const boot_request& request) {
    value_of(request.program);
    return unit_writer(request).files();
}

std::string with_head(const std::string& text, boot_scope scope, const std::string& unit) {
    return fmt::format("{}# Changes belong in a file of their own: systemctl {}edit {}\n{}{}\n{}", first_line,
                       scope == boot_scope::user ? "--user " : "", unit, digest_line, digest_of(text), text);
}

written_by writer_of(const std::string& text) {
    if (!text.starts_with(first_line)) return written_by::others;
    const auto digest = text.find(digest_line);
    if (digest == std::string::npos) return written_by::us_then_changed;
    const auto line_end = text.find('\n', digest);
    if (line_end == std::string::npos) return written_by::us_then_changed;
    const std::string_view rest = std::string_view(text).substr(line_end + 1);
    const auto given = std::string_view(text).substr(digest + digest_line.size(), digest_length);
    return digest_of(rest) == given ? written_by::us : written_by::us_then_changed;
}

std::string own_value(const std::string& text, const std::string& key) {
    const auto section = text.rfind("\n[X-Hob]\n");
    if (section == std::string::npos) return {};
    const std::string start = "\n" + key + "=";
    const auto at = text.find(start, section);
    if (at == std::string::npos) return {};
    const auto begin = at + start.size();
    return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace hob::cmd
