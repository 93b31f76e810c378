// Zones by their names.
#include <dirent.h>
#include <fmt/format.h>
#include <strings.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "util/fd.hpp"
#include "util/suggest.hpp"
#include "util/time_zone/time_zone.hpp"

namespace hob::util {
namespace {

constexpr std::size_t file_size_max = 1u << 20;
constexpr std::string_view usual_place = "/usr/share/zoneinfo";

bool is_directory(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

// Empty: there is none.
std::string database() {
    std::vector<std::string> places;
    if (const char* own = std::getenv("TZDIR"); own != nullptr && *own != '\0') places.emplace_back(own);
    places.emplace_back(usual_place);
    places.emplace_back("/etc/zoneinfo");
    const auto found = std::find_if(places.begin(), places.end(), is_directory);
    return found == places.end() ? std::string() : *found;
}

// Of the form that names in the database have, so that no other file is read.
bool is_name(std::string_view name) {
    const bool letters = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view("_+-/").find(c) != std::string_view::npos;
    });
    return letters && !name.empty() && !name.starts_with('/') && !name.ends_with('/');
}

void add_names(const std::string& directory, const std::string& prefix, int depth,
               std::vector<std::string>& names) {
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), ::closedir);
    if (!open || depth == 0) return;
    while (const dirent* entry = ::readdir(open.get())) {
        const std::string name = entry->d_name;
        if (!is_name(name) || (prefix.empty() && (name == "posix" || name == "right"))) continue;
        if (is_directory(directory + "/" + name)) {
            add_names(directory + "/" + name, prefix + name + "/", depth - 1, names);
        } else if (name.front() >= 'A' && name.front() <= 'Z') {
            names.push_back(prefix + name);
        }
    }
}

bool same_word(std::string_view one, std::string_view other) {
    return one.size() == other.size() && ::strncasecmp(one.data(), other.data(), one.size()) == 0;
}

std::string_view city_of(std::string_view name) { return name.substr(name.rfind('/') + 1); }

// The zone that was probably meant: by its city, or by its name. Empty: none.
std::string nearest_zone(const std::string& place, std::string_view name) {
    std::vector<std::string> names;
    add_names(place, "", 4, names);
    std::sort(names.begin(), names.end());
    const auto with_city = [&](std::string_view city) {
        return std::find_if(names.begin(), names.end(),
                            [&](const std::string& each) { return same_word(city_of(each), city); });
    };
    if (const auto exact = with_city(city_of(name)); exact != names.end()) return *exact;
    if (const auto near = nearest(name, std::vector<std::string_view>(names.begin(), names.end())))
        return std::string(*near);
    std::vector<std::string_view> cities;
    for (const auto& each : names)
        cities.push_back(city_of(each));
    const auto near = nearest(city_of(name), cities);
    return near ? *with_city(*near) : std::string();
}

}  // namespace

std::optional<time_zone> find_time_zone(std::string_view name, time_zone_error& error) {
    if (name == "UTC" || name == "Etc/UTC") return time_zone::utc(std::string(name));
    const std::string place = database();
    if (place.empty()) {
        error = {fmt::format("cannot be looked up: this machine has no {}", usual_place),
                 "install the package tzdata; \"UTC\" is known without it"};
        return std::nullopt;
    }
    std::optional<std::string> content;
    if (is_name(name)) content = read_file(place + "/" + std::string(name), file_size_max);
    if (content) {
        if (auto zone = time_zone::parse(std::string(name), *content)) return zone;
    }
    const std::string near = nearest_zone(place, name);
    error = {"is not a time zone", near.empty()
                                       ? "such as \"Europe/Berlin\": the names of the files below " + place
                                       : fmt::format("did you mean '{}'?", near)};
    return std::nullopt;
}

}  // namespace hob::util
