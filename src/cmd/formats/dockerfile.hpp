#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hob::cmd {

struct image_command {
    std::vector<std::string> entrypoint;
    std::vector<std::string> command;
};

// What a container of the image would execute: CMD and ENTRYPOINT of the stage `target`, by default the last.
// Those of a base image are unknown.
image_command read_dockerfile(std::string_view text, std::string_view target);

}  // namespace hob::cmd
