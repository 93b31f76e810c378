#include "error.hpp"

#include <array>
#include <system_error>
#include <utility>

namespace hob {
namespace {

struct kind_row {
    error_kind kind;
    std::string_view name;
    exit_code exit;
};

constexpr std::array rows{
    kind_row{error_kind::usage, "usage", exit_code::usage},
    kind_row{error_kind::config, "config", exit_code::usage},
    kind_row{error_kind::untrusted_config, "untrusted_config", exit_code::usage},
    kind_row{error_kind::no_daemon, "no_daemon", exit_code::no_daemon},
    kind_row{error_kind::daemon_lost, "daemon_lost", exit_code::no_daemon},
    kind_row{error_kind::start_failed, "start_failed", exit_code::no_daemon},
    kind_row{error_kind::crash_loop, "crash_loop", exit_code::no_daemon},
    kind_row{error_kind::wedged, "wedged", exit_code::no_daemon},
    kind_row{error_kind::denied, "denied", exit_code::no_daemon},
    kind_row{error_kind::foreign, "foreign", exit_code::no_daemon},
    kind_row{error_kind::instance_elsewhere, "instance_elsewhere", exit_code::no_daemon},
    kind_row{error_kind::version, "version", exit_code::failed},
    kind_row{error_kind::timeout, "timeout", exit_code::deadline},
    kind_row{error_kind::unit_unknown, "unit_unknown", exit_code::failed},
    kind_row{error_kind::unit_failed, "unit_failed", exit_code::failed},
    kind_row{error_kind::worker_error, "worker_error", exit_code::failed},
    kind_row{error_kind::worker_died, "worker_died", exit_code::failed},
    kind_row{error_kind::cancelled, "cancelled", exit_code::failed},
    kind_row{error_kind::no_project, "no_project", exit_code::usage},
    kind_row{error_kind::consent_needed, "consent_needed", exit_code::failed},
    kind_row{error_kind::internal, "internal", exit_code::failed},
};

constexpr bool rows_in_order() {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (static_cast<std::size_t>(rows[i].kind) != i) return false;
    }
    return true;
}
static_assert(rows_in_order());

const kind_row& row_of(error_kind kind) { return rows[static_cast<std::size_t>(kind)]; }

std::string text_of(const cannot& tried, const std::string& reason) {
    std::string text = "cannot " + tried.verb;
    if (!tried.object.empty()) text.append(" '").append(tried.object).append("'");
    if (!tried.rest.empty()) text.append(" ").append(tried.rest);
    return text.append(": ").append(reason);
}

}  // namespace

std::string_view name_of(error_kind kind) { return row_of(kind).name; }

exit_code exit_code_of(error_kind kind) { return row_of(kind).exit; }

std::optional<error_kind> error_kind_named(std::string_view name) {
    for (const auto& row : rows) {
        if (row.name == name) return row.kind;
    }
    return std::nullopt;
}

failure::failure(error_kind kind, cannot tried, std::string reason, std::string hint, std::string detail)
    : std::runtime_error(text_of(tried, reason)),
      kind_(kind),
      tried_(std::move(tried)),
      reason_(std::move(reason)),
      hint_(std::move(hint)),
      detail_(std::move(detail)) {}

failure::failure(error_kind kind, const std::string& message, std::string hint, std::string detail)
    : std::runtime_error(message),
      kind_(kind),
      tried_(std::string_view()),
      reason_(message),
      hint_(std::move(hint)),
      detail_(std::move(detail)) {}

failure failure::of(cannot tried) const { return failure(kind_, std::move(tried), reason_, hint_, detail_); }

failure failure::without_hint() const {
    failure copy(*this);
    copy.hint_.clear();
    return copy;
}

std::string errno_text(int error_number) { return std::generic_category().message(error_number); }

failure denied(std::string_view verb, std::string_view object, int error_number) {
    return failure(error_kind::denied, cannot(verb, object), errno_text(error_number));
}

}  // namespace hob
