#pragma once
// Puts a daemon together: hob's application, and the methods of all verbs bound to it.

#include <memory>

#include "lifecycle/application.hpp"
#include "lifecycle/daemon.hpp"

namespace hob::cmd {

std::unique_ptr<lifecycle::application> make_application(lifecycle::daemon& daemon,
                                                         lifecycle::application_context context);

}  // namespace hob::cmd
