#include "lsp/server.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <variant>

#include "base/bounded_json.h"
#include "irplan/compile.h"
#include "lsp/compiler.h"
#include "lsp/documents.h"
#include "lsp/messages.h"
#include "service/language/protocol.h"

namespace irplan::lsp {
namespace {

using language::json;

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// A member of a member, …
const json* within(const json& object, std::initializer_list<const char*> path) {
  const json* at = &object;
  for (const char* key : path) {
    at = member(*at, key);
    if (!at) return nullptr;
  }
  return at;
}

std::string text_at(const json& object, std::initializer_list<const char*> path) {
  const json* found = within(object, path);
  return found && found->is_string() ? found->get<std::string>() : "";
}

// What comes in: from the client, and from the compiler. Bounded, so that a client that never stops talking
// waits.
class Inbox {
 public:
  struct End {};
  using Entry = std::variant<Incoming, Done, End>;
  static constexpr size_t kMost = 4096;

  void put(Entry entry) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return entries_.size() < kMost; });
    entries_.push_back(std::move(entry));
    some_.notify_one();
  }
  std::deque<Entry> take(bool wait) {
    std::unique_lock lock(mutex_);
    if (wait) some_.wait(lock, [&] { return !entries_.empty(); });
    std::deque<Entry> out = std::exchange(entries_, {});
    room_.notify_all();
    return out;
  }

 private:
  std::mutex mutex_;
  std::condition_variable some_, room_;
  std::deque<Entry> entries_;
};

class Server {
 public:
  Server(Inbox& inbox, int out)
      : inbox_(inbox), out_(out), compiler_([&](Done done) { inbox.put(std::move(done)); }) {}

  int run() {
    while (!ended_) {
      for (Inbox::Entry& entry : inbox_.take(messages_.empty())) enter(std::move(entry));
      if (messages_.empty()) continue;
      const json message = std::move(messages_.front());
      messages_.pop_front();
      handle(message);
      if (messages_.empty() && gone_) ended_ = true;
    }
    return stopped_ ? 0 : 1;
  }

 private:
  // ---- what comes in

  void enter(Inbox::Entry entry) {
    if (auto* done = std::get_if<Done>(&entry)) return take(std::move(*done));
    if (std::holds_alternative<Inbox::End>(entry)) {
      gone_ = true;
      if (messages_.empty()) ended_ = true;
      return;
    }
    const Incoming& incoming = std::get<Incoming>(entry);
    if (!incoming.fault.empty()) return refuse(nullptr, language::kInvalidRequest, incoming.fault);
    json message = parse_json(incoming.body);
    if (message.is_discarded())
      return refuse(nullptr, language::kParseError, "the message is no JSON, or nested too deep");
    if (text_at(message, {"method"}) != "$/cancelRequest") return messages_.push_back(std::move(message));
    const json* id = within(message, {"params", "id"});
    for (json& waiting : messages_) {
      const json* other = member(waiting, "id");
      if (!id || !other || *id != *other || !member(waiting, "method")) continue;
      refuse(*id, language::kCancelled, "cancelled");
      waiting = json::object({{"method", "$/answered"}});
    }
  }

  void handle(const json& message) {
    const json* method = member(message, "method");
    const json* id = member(message, "id");
    const bool answerable = id && (id->is_string() || id->is_number_integer());
    if (!method || !method->is_string()) {
      const bool response = answerable && (member(message, "result") || member(message, "error"));
      if (!response)
        refuse(answerable ? *id : json(nullptr), language::kInvalidRequest, "the message has no method");
      return;
    }
    if (id && !answerable)
      return refuse(nullptr, language::kInvalidRequest, "`id` is neither a text nor a whole number");
    const json* given = member(message, "params");
    const json params = given ? *given : json::object();
    const std::string name = method->get<std::string>();
    try {
      if (id)
        request(*id, name, params);
      else
        notification(name, params);
    } catch (const std::exception& error) {
      const std::string why = std::string("the compiler met a fault of its own: ") + error.what();
      if (id) return refuse(*id, language::kInternalError, why);
      tell_fault(why);
    }
  }

  void request(const json& id, const std::string& method, const json& params) {
    if (method == "initialize") return initialize(id, params);
    if (!initialized_) return refuse(id, language::kNotInitialized, "`initialize` comes first");
    if (stopped_) return refuse(id, language::kInvalidRequest, "the server was shut down");
    if (method == "shutdown") {
      stopped_ = true;
      return reply(id, nullptr);
    }
    if (method == "irplan/words") return reply(id, language::words());
    if (!language::is_request(method))
      return refuse(id, language::kMethodNotFound, "there is no method `" + method.substr(0, 100) + "`");
    const std::string uri = text_at(params, {"textDocument", "uri"});
    const auto found = documents_.open.find(uri);
    if (found == documents_.open.end() || !found->second.program)
      return refuse(id, language::kInvalidParams, "`" + uri.substr(0, 200) + "` is not open");
    language::Answer answer = language::answer(*found->second.document, uri, method, params, client_);
    if (answer.code != 0) return refuse(id, answer.code, answer.error);
    reply(id, std::move(answer.result));
  }

  void notification(const std::string& method, const json& params) {
    if (method == "exit") {
      ended_ = true;
      return;
    }
    if (!initialized_ || stopped_) return;
    if (method == "initialized") return watch_configs();
    if (method == "textDocument/didOpen") return open(params);
    if (method == "textDocument/didChange") return change(params);
    if (method == "textDocument/didClose") return close(params);
    if (method == "workspace/didChangeWatchedFiles" || method == "textDocument/didSave") return refresh();
    if (method == "workspace/didChangeConfiguration") {
      const json* settings = within(params, {"settings", "irplan"});
      if (!settings) return;
      documents_.config_setting = text_at(*settings, {"config"});
      refresh();
    }
  }

  void initialize(const json& id, const json& params) {
    if (initialized_) return refuse(id, language::kInvalidRequest, "initialized already");
    const json* encodings = within(params, {"capabilities", "general", "positionEncodings"});
    client_.units = language::Units::Utf16;
    if (encodings && encodings->is_array() &&
        std::find(encodings->begin(), encodings->end(), json("utf-8")) != encodings->end())
      client_.units = language::Units::Utf8;
    const auto can = [&](std::initializer_list<const char*> path) {
      const json* found = within(params, path);
      return found && found->is_boolean() && found->get<bool>();
    };
    client_.snippets =
        can({"capabilities", "textDocument", "completion", "completionItem", "snippetSupport"});
    watches_ = can({"capabilities", "workspace", "didChangeWatchedFiles", "dynamicRegistration"});
    documents_.config_setting = text_at(params, {"initializationOptions", "config"});
    std::string folder = text_at(params, {"rootUri"});
    const json* folders = member(params, "workspaceFolders");
    if (folders && folders->is_array() && !folders->empty()) folder = text_at((*folders)[0], {"uri"});
    documents_.root = path_of(folder).value_or("");
    initialized_ = true;
    reply(id, {{"capabilities", language::capabilities(client_.units)},
               {"serverInfo", {{"name", "irplan"}, {"version", kVersion}}}});
  }

  void watch_configs() {
    if (!watches_) return;
    const json watchers = json::array({{{"globPattern", "**/*.json"}}});
    const json registration = {{"id", "configs"},
                               {"method", "workspace/didChangeWatchedFiles"},
                               {"registerOptions", {{"watchers", watchers}}}};
    send({{"jsonrpc", "2.0"},
          {"id", "register-configs"},
          {"method", "client/registerCapability"},
          {"params", {{"registrations", json::array({registration})}}}});
  }

  // ---- documents

  void open(const json& params) {
    const std::string uri = text_at(params, {"textDocument", "uri"});
    const json* text = within(params, {"textDocument", "text"});
    if (uri.empty() || !text || !text->is_string() || documents_.open.size() >= Documents::kMost) return;
    OpenText& made = documents_.open[uri];
    const int64_t edit = made.edit;  // what is compiled of one that was open before belongs to that
    made = OpenText();
    made.edit = edit;
    made.document = std::make_unique<language::Document>(uri, text->get<std::string>());
    const std::string language = text_at(params, {"textDocument", "languageId"});
    made.program = language != "json" && language != "jsonc" && !uri.ends_with(".json");
    note_version(made, params);
    edited(uri, made);
  }

  void change(const json& params) {
    const std::string uri = text_at(params, {"textDocument", "uri"});
    const auto found = documents_.open.find(uri);
    const json* changes = member(params, "contentChanges");
    if (found == documents_.open.end() || !changes || !changes->is_array()) return;
    OpenText& text = found->second;
    std::string now = text.document->source().text();
    for (const json& one : *changes) {
      if (language::change(now, one, client_.units)) continue;
      tell_fault("a change of " + uri.substr(0, 200) +
                 " has no text or no range of the document; open it anew");
      break;
    }
    text.document->set_text(std::move(now));
    note_version(text, params);
    edited(uri, text);
  }

  void close(const json& params) {
    const std::string uri = text_at(params, {"textDocument", "uri"});
    const auto found = documents_.open.find(uri);
    if (found == documents_.open.end()) return;
    const OpenText closed = std::move(found->second);
    documents_.open.erase(found);
    compiler_.forget(uri);
    if (!closed.program) return refresh();
    publish(uri, json::array(), std::nullopt);
    if (closed.config_told) publish(closed.config_uri, json::array(), std::nullopt);
  }

  static void note_version(OpenText& text, const json& params) {
    const json* version = within(params, {"textDocument", "version"});
    text.version =
        version && version->is_number_integer() ? std::optional(version->get<int64_t>()) : std::nullopt;
  }

  void edited(const std::string& uri, OpenText& text) {
    if (!text.program) return refresh();
    documents_.find_config(uri, text);
    compile(uri, text);
  }

  // Configs may have changed.
  void refresh() {
    for (auto& [uri, text] : documents_.open) {
      if (text.program && documents_.find_config(uri, text)) compile(uri, text);
    }
  }

  void compile(const std::string& uri, OpenText& text) {
    compiler_.ask({uri, ++text.edit, text.document->source(), text.document->config_name(),
                   text.document->config_text()});
  }

  void take(Done done) {
    const auto found = documents_.open.find(done.uri);
    if (!done.fault.empty())
      return tell_fault("the compiler met a fault of its own: " + done.fault +
                        "; please report it, with the program and its config");
    if (found == documents_.open.end() || !found->second.program) return;
    OpenText& text = found->second;
    text.document->take(std::move(*done.compilation));
    if (done.edit != text.edit) return;  // a newer one is on its way
    publish(done.uri, language::diagnostics(*text.document, done.uri, client_), text.version);
    if (text.config_uri.empty()) return;
    const json of_config = language::diagnostics(*text.document, done.uri, client_, true);
    if (text.config_told || !of_config.empty()) publish(text.config_uri, of_config, std::nullopt);
    text.config_told = !of_config.empty();
  }

  // ---- what goes out

  void publish(const std::string& uri, json diagnostics, std::optional<int64_t> version) {
    json params = {{"uri", uri}, {"diagnostics", std::move(diagnostics)}};
    if (version) params["version"] = *version;
    send({{"jsonrpc", "2.0"}, {"method", "textDocument/publishDiagnostics"}, {"params", std::move(params)}});
  }

  void tell_fault(const std::string& why) {
    constexpr int kError = 1;
    send({{"jsonrpc", "2.0"},
          {"method", "window/showMessage"},
          {"params", {{"type", kError}, {"message", why}}}});
  }

  void reply(const json& id, json result) {
    send({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}});
  }

  void refuse(const json& id, int code, const std::string& why) {
    send({{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", why}}}});
  }

  void send(const json& message) {
    if (!write_message(out_, message.dump(-1, ' ', false, json::error_handler_t::replace))) ended_ = true;
  }

  Inbox& inbox_;
  int out_;
  language::Client client_;
  Documents documents_;
  std::deque<json> messages_;  // from the client, to be handled
  bool initialized_ = false, stopped_ = false, ended_ = false;
  bool gone_ = false;     // the client closed its end
  bool watches_ = false;  // the client tells of files that change
  Compiler compiler_;     // last: its thread ends first
};

}  // namespace

void serve(int in, int out) {
  // Shared with a reader that may wait in a read when the server is done.
  const auto inbox = std::make_shared<Inbox>();
  std::thread([inbox, in] {
    MessageReader reader(in);
    while (auto incoming = reader.next()) inbox->put(std::move(*incoming));
    inbox->put(Inbox::End{});
  }).detach();
  Server server(*inbox, out);
  const int code = server.run();
  // What is still read or compiled is for nobody, and not waited for.
  std::_Exit(code);
}

}  // namespace irplan::lsp
