// The table of keys, against the parser, hob.toml(5) and the schema that is in the repository.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "paths.hpp"
#include "unit/config/config.hpp"
#include "unit/config/keys.hpp"
#include "unit/config/schema.hpp"
#include "util/json/json_pretty.hpp"

using namespace hob::unit;

namespace {

std::string slurp(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

constexpr unsigned all_tables[] = {in_daemon, in_log, in_worker, in_service, in_task};

bool is_unit_table(unsigned table) { return (table & in_units) != 0; }

// A file with one unit of the table's kind and these lines in the table.
config parse_in(unsigned table, const std::string& lines) {
    std::string text = "[" + std::string(table_name(table));
    text += is_unit_table(table) ? ".x]\n" + std::string("run = \"x\"\n") : "]\n";
    return parse_config(text + lines, "/p/hob.toml");
}

// What else must be in the table for the key to have a meaning.
std::string companions(const config_key& key) {
    const bool of_lsp = key.name == "initialize" || key.name == "settings" || key.name == "language_ids" ||
                        key.name == "files";
    if (of_lsp) return "protocol = \"lsp\"\n";
    if (key.name.starts_with("answer") && key.name != "answers") return "protocol = \"lines\"\n";
    if (key.name == "jitter") return "every = \"1d\"\n";
    if (key.name == "ready.timeout" || key.name == "ready.owner") return "ready.tcp = 1\n";
    if (key.name == "health.every" || key.name == "health.timeout" || key.name == "health.failures" ||
        key.name == "health.owner")
        return "health.tcp = 1\n";
    if (key.name == "health.http.status") return "health.http.url = \"http://localhost\"\n";
    if (key.name == "connect.timeout") return "connect.tcp = 1\n";
    if (key.name == "ready.http.status") return "ready.http.url = \"http://localhost\"\n";
    return {};
}

bool same(const config& a, const config& b) {
    return a.daemon == b.daemon && a.log == b.log && a.units == b.units;
}

// A key as hob.toml(5) lists it.
struct page_entry {
    unsigned tables;
    std::string name;
    std::string type;
    std::string initial;  // the text after "Default:"
};

// "The default is .Li \(dq10s\(dq ." -> `The default is "10s"`
std::string plain(std::string text) {
    for (std::size_t at = 0; (at = text.find("\\(dq", at)) != std::string::npos;)
        text.replace(at, 4, "\"");
    if (text.starts_with(".Li ") || text.starts_with(".Ic ")) text.erase(0, 4);
    if (text.ends_with(" .")) text.erase(text.size() - 2);
    return text;
}

class page_reader {
public:
    std::vector<page_entry> read(std::istream& page) {
        for (std::string line; std::getline(page, line);) {
            if (line.starts_with(".Sh ")) enter_section(line.substr(4));
            if (tables_ != 0) read_line(line);
        }
        return entries_;
    }

private:
    void enter_section(const std::string& title) {
        static const std::vector<std::pair<std::string, unsigned>> sections{
            {"THE DAEMON", in_daemon}, {"THE LOG", in_log},      {"ALL UNITS", in_units},
            {"WORKERS", in_worker},    {"SERVICES", in_service}, {"TASKS", in_task}};
        const auto found = std::find_if(sections.begin(), sections.end(),
                                        [&](const auto& each) { return each.first == title; });
        tables_ = found == sections.end() ? 0 : found->second;
    }

    void read_line(const std::string& line) {
        if (line.starts_with(".It Ic ")) {
            std::istringstream words(line.substr(7));
            std::string name, macro, type, word;
            words >> name >> macro >> type;
            while (words >> word)
                type += word == "No" || word == "Ar" ? "" : " " + word;
            entries_.push_back({tables_, name, type, ""});
            in_default_ = false;
        } else if (line.starts_with("Default:")) {
            in_default_ = true;
            entries_.back().initial = line.size() > 9 ? line.substr(9) : "";
        } else if (line.starts_with(".It ") || line.starts_with(".El") || line.starts_with(".Bl") ||
                   line.starts_with(".S")) {
            in_default_ = false;
        } else if (in_default_) {
            entries_.back().initial += (entries_.back().initial.empty() ? "" : " ") + plain(line);
        }
    }

    unsigned tables_ = 0;
    bool in_default_ = false;
    std::vector<page_entry> entries_;
};

std::vector<page_entry> page() {
    std::ifstream file(HOB_SOURCE_DIR "/man/hob.toml.5");
    return page_reader().read(file);
}

std::vector<const config_key*> keys_of(const page_entry& entry) {
    std::vector<const config_key*> found;
    for (const auto& key : all_keys()) {
        if (key.name == entry.name && (key.tables & entry.tables) != 0) found.push_back(&key);
    }
    return found;
}

// Whether the page says what the table says.
bool says_default(const page_entry& entry, const config_key& key) {
    const auto says = [&](std::string_view text) { return entry.initial.find(text) != std::string::npos; };
    if (key.initial == "{}" || key.initial == "[]") return says("empty");
    if (!key.initial.empty()) return says(key.initial);
    if (key.presence == key_presence::required) return says("required");
    if (!key.absent.empty()) return says(key.absent) || says("none");
    return says("none") || (key.type == value_type::table && says("those of its keys"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_keys)

BOOST_AUTO_TEST_CASE(a_default_that_is_written_out_changes_nothing) {
    for (const auto& key : all_keys()) {
        for (const unsigned table : all_tables) {
            if ((key.tables & table) == 0 || key.initial.empty()) continue;
            BOOST_TEST_CONTEXT(full_name(key, table)) {
                const std::string lines = companions(key);
                const std::string line = std::string(key.name) + " = " + std::string(key.initial) + "\n";
                BOOST_TEST(same(parse_in(table, lines), parse_in(table, lines + line)));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_example_of_a_key_is_valid) {
    for (const auto& key : all_keys()) {
        for (const unsigned table : all_tables) {
            if ((key.tables & table) == 0 || key.example.empty() || key.name == "run") continue;
            BOOST_TEST_CONTEXT(full_name(key, table)) {
                const std::string line = std::string(key.name) + " = " + std::string(key.example) + "\n";
                const std::string more = key.name == "after" ? "[service.db]\nrun = \"db\"\n" : "";
                BOOST_CHECK_NO_THROW(parse_in(table, companions(key) + line + more));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(every_key_has_what_help_and_schema_need) {
    for (const auto& key : all_keys()) {
        BOOST_TEST_CONTEXT(key.name) {
            BOOST_TEST((key.tables != 0 && key.read != nullptr));
            BOOST_TEST(!key.help.empty());
            BOOST_TEST(!key.help.ends_with('.'));
            BOOST_TEST((key.type == value_type::word || key.type == value_type::word_or_table) ==
                       (key.words != nullptr));
            BOOST_TEST((key.type != value_type::integer || key.most > key.least));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_key_stands_twice_in_a_table) {
    for (const unsigned table : all_tables) {
        std::set<std::string_view> names;
        for (const auto& key : all_keys()) {
            if ((key.tables & table) != 0) BOOST_TEST(names.insert(key.name).second, key.name);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_page_lists_the_keys_of_the_table_with_type_and_default) {
    std::set<const config_key*> listed;
    for (const auto& entry : page()) {
        BOOST_TEST_CONTEXT(entry.name << ": " << entry.type << ", default: " << entry.initial) {
            const auto keys = keys_of(entry);
            unsigned tables = 0;
            for (const config_key* key : keys) {
                listed.insert(key);
                tables |= key->tables;
                BOOST_TEST(entry.type == type_name(key->type));
                BOOST_TEST(says_default(entry, *key));
            }
            BOOST_TEST(tables == entry.tables);
        }
    }
    for (const auto& key : all_keys()) {
        if (key.tables != in_file) BOOST_TEST(listed.contains(&key), key.name);
    }
}

BOOST_AUTO_TEST_CASE(a_name_with_its_table_means_one_key_and_without_it_the_key_of_every_table) {
    const auto count = [](std::string_view name) { return keys_named(name).size(); };
    BOOST_TEST(count("service.restart") == 1u);
    BOOST_TEST(count("restart") == 1u);
    BOOST_TEST(count("idle_timeout") == 2u);
    BOOST_TEST(count("daemon.idle_timeout") == 1u);
    BOOST_TEST(count("ready.http.url") == 1u);
    BOOST_TEST(count("kill") == 3u);
    BOOST_TEST(count("task.kill") == 1u);
    BOOST_TEST(count("tcp") == 3u);
    BOOST_TEST(count("task") == 1u);
    BOOST_TEST(count("worker.restart") == 0u);
    BOOST_TEST(count("nothing") == 0u);
    BOOST_TEST(count("") == 0u);
}

BOOST_AUTO_TEST_CASE(the_schema_in_the_repository_is_the_one_that_hob_prints) {
    BOOST_TEST(slurp(HOB_SOURCE_DIR "/share/hob.schema.json") ==
                   hob::util::json_pretty(config_schema(), false) + "\n",
               "to write it anew: hob check --schema > share/hob.schema.json");
}

BOOST_AUTO_TEST_SUITE_END()
