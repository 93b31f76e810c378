#include "cmd/enable/request.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "error.hpp"
#include "identity.hpp"
#include "unit/config/config.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view user_key = "user";

const char* set_variable(const char* name) {
    const char* value = std::getenv(name);
    return value && *value ? value : nullptr;
}

// Of the user's own systemd, which has directories and PATH of its own.
std::vector<std::pair<std::string, std::string>> kept_variables(boot_scope scope) {
    const auto& known = this_program.variables;
    std::vector<const char*> names{known.runtime_dir, known.state_dir, known.log_levels};
    if (scope == boot_scope::user) names.insert(names.end(), {"XDG_STATE_HOME", "XDG_CONFIG_HOME", "PATH"});
    std::vector<std::pair<std::string, std::string>> kept;
    for (const char* name : names)
        if (const char* value = set_variable(name)) kept.emplace_back(name, value);
    return kept;
}

// Where hob looks when the user is logged in, and from the boot on if the unit asks for that directory.
std::string login_runtime_dir(uid_t uid) { return fmt::format("/run/user/{}/{}", uid, this_program.name); }

}  // namespace

boot_scope scope_of(const invocation& call) {
    return call.has("system") ? boot_scope::system : boot_scope::user;
}

account account_of(const invocation& call) {
    const std::string name = call.value("user").value_or("");
    if (auto found = find_account(name)) return *found;
    throw failure(error_kind::usage, cannot("use", name, "as a user"), "/etc/passwd has no such user");
}

lifecycle::instance boot_instance(invocation& call) {
    lifecycle::instance where = call.where();
    const bool given = set_variable(this_program.variables.runtime_dir) != nullptr;
    if (scope_of(call) == boot_scope::user) {
        if (!given && where.runtime_dir.starts_with("/tmp/"))
            where.runtime_dir = login_runtime_dir(::geteuid());
        return where;
    }
    const account user = account_of(call);
    if (!given) where.runtime_dir = login_runtime_dir(user.uid);
    if (user.uid == ::geteuid()) return where;
    if (!set_variable(this_program.variables.state_dir))
        where.state_root = fmt::format("{}/.local/state/{}", user.home, this_program.name);
    if (where.key == user_key) {
        where.root = user.home;
        where.config_path =
            fmt::format("{}/.config/{}/{}", user.home, this_program.name, this_program.config_file);
    }
    return where;
}

unit::config boot_config(invocation& call, const lifecycle::instance& where) {
    struct stat found {};
    if (!where.config_required && ::stat(where.config_path.c_str(), &found) != 0)
        return unit::default_config();
    const uid_t owner = scope_of(call) == boot_scope::system ? account_of(call).uid : ::geteuid();
    return unit::load_config(where.config_path, owner, where.root);
}

boot_request boot_request_of(invocation& call, const unit::config& config) {
    boot_request request;
    request.scope = scope_of(call);
    request.where = boot_instance(call);
    request.program = path_of_program();
    request.environment = kept_variables(request.scope);
    request.shutdown_timeout = config.daemon.shutdown_timeout;
    request.uid = ::geteuid();
    if (request.scope == boot_scope::system) {
        const account user = account_of(call);
        request.user = user.name;
        request.uid = user.uid;
        // Units find what else is in it, such as the bus of the user.
        request.environment.emplace_back("XDG_RUNTIME_DIR", fmt::format("/run/user/{}", user.uid));
    }
    if (request.where.key == user_key)
        request.environment.emplace_back(this_program.variables.instance, std::string(user_key));
    return request;
}

}  // namespace hob::cmd
