#pragma once
// hob tells a language server that its client can do all that an editor may be able to. What the client that
// asked cannot use is taken out of its answer.

#include <string>
#include <string_view>

namespace hob::unit {

struct client_abilities {
    bool snippets = false;
    bool insert_replace = false;  // completions with two ranges
    bool label_details = false;
};
// From the capabilities that an editor sent, raw.
client_abilities abilities_of(std::string_view capabilities);

// `result`: of a request, raw.
std::string result_for(const client_abilities& client, std::string_view method, std::string result);

// The text that a snippet inserts: its placeholders are replaced by their defaults.
std::string text_of_snippet(std::string_view snippet);

}  // namespace hob::unit
