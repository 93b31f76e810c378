#pragma once
// The status object where no daemon answers: from what its files say.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "ipc/status_page.hpp"
#include "lifecycle/instance.hpp"

namespace hob::cmd {

// `state`: starting, wedged, stopped, …; `pid`: 0 is none; `page`: what that daemon last published.
std::string silent_status_json(const lifecycle::instance& where, std::string_view state, pid_t pid,
                               const std::optional<ipc::page_content>& page);

// A JSON string, or null when `text` is empty.
std::string quoted_or_null(std::string_view text);

}  // namespace hob::cmd
