// The options of the controller's HTTP API, one for each of its limits.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "controller/http/options.hpp"

namespace covey::cli {

// Adds --http and its companions; `address` is what --http is given.
void add_http_options(CLI::App& command, api::ServiceOptions& options, std::string& address);
// Takes the address apart; throws std::runtime_error that says what is wrong.
void finish_http_options(api::ServiceOptions& options, const std::string& address, bool insecure);

}  // namespace covey::cli
