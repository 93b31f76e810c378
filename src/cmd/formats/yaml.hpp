#pragma once
// YAML as the same values as JSON. Only yaml.cpp includes the parser, libyaml.

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace hob::cmd {

// The first document. Aliases and merge keys are resolved; what is quoted is a string, and the rest has the
// types of YAML 1.2's core schema. Throws failure(config), also for a result that is much larger than the
// text.
boost::json::value parse_yaml_file(std::string_view bytes, const std::string& path);

}  // namespace hob::cmd
