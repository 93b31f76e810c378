#pragma once
// Precompiled for every test.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
