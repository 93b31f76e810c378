#include "unit/process/deciding_variables.hpp"

#include <algorithm>
#include <iterator>

namespace hob::unit {
namespace {

constexpr std::string_view names[] = {
    // The search for programs and libraries, and where they find their configuration.
    "PATH",
    "HOME",
    "SHELL",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "GCONV_PATH",
    "LOCPATH",
    "NLSPATH",
    "TERMINFO",
    "TERMINFO_DIRS",
    "TERMCAP",
    "HOSTALIASES",
    "RES_OPTIONS",
    "LOCALDOMAIN",
    "MALLOC_TRACE",
    // Shells.
    "IFS",
    "CDPATH",
    "ENV",
    "BASH_ENV",
    "SHELLOPTS",
    "BASHOPTS",
    "PS4",
    "PROMPT_COMMAND",
    "GLOBIGNORE",
    "FPATH",
    "ZDOTDIR",
    // Interpreters.
    "PERLLIB",
    "PERL5LIB",
    "PERL5OPT",
    "PERL5DB",
    "RUBYLIB",
    "RUBYOPT",
    "NODE_OPTIONS",
    "NODE_PATH",
    "CLASSPATH",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "JAVA_HOME",
    "LUA_INIT",
    "LUA_PATH",
    "LUA_CPATH",
    "R_PROFILE",
    "R_HOME",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    // Programs that other programs execute.
    "EDITOR",
    "VISUAL",
    "PAGER",
    "BROWSER",
    "LESSOPEN",
    "LESSCLOSE",
    "SSH_ASKPASS",
    "SUDO_ASKPASS",
    "MAKEFLAGS",
    "MAKEFILES",
    "MFLAGS",
    "GNUMAKEFLAGS",
    "CC",
    "CXX",
    "LD",
    "AR",
    "TAR_OPTIONS",
    "RSYNC_RSH",
    "CVS_RSH",
    "GOROOT",
    "GOFLAGS",
    "GOTOOLCHAIN",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "MANPAGER",
};

constexpr std::string_view beginnings[] = {"LD_",    "_RLD", "DYLD_",       "BASH_FUNC_",
                                           "PYTHON", "GIT_", "npm_config_", "NPM_CONFIG_",
                                           "CARGO_", "PIP_", "UV_"};

}  // namespace

bool decides_what_is_executed(std::string_view name) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names) ||
           std::any_of(std::begin(beginnings), std::end(beginnings),
                       [name](std::string_view beginning) { return name.starts_with(beginning); });
}

}  // namespace hob::unit
