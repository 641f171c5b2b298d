// What a path names, and where its links lead.
#include "files/paths.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "catch.h"
#include "files/folder.h"

namespace fs = std::filesystem;
using namespace irplan;

TEST_CASE("a path names nothing, a file, a folder or a device") {
  const Folder folder;
  const std::string file = folder.file("a", "text"), none = (folder.path / "none").string(),
                    pipe = (folder.path / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK((exists(file) && is_file(file) && !is_folder(file) && !is_device(file)));
  CHECK(
      (exists(folder.path.string()) && is_folder(folder.path.string()) && !is_device(folder.path.string())));
  CHECK((is_device(pipe) && is_device("/dev/null") && !is_file(pipe)));
  CHECK_FALSE((exists(none) || is_file(none) || is_folder(none) || is_device(none)));
}

TEST_CASE("a model's folder stands for its config") {
  const Folder folder;
  const std::string path = folder.path.string();
  CHECK(config_file(path) == path + "/config.json");
  CHECK(config_file(path + "/") == path + "/config.json");
  CHECK(config_file("mine.json") == "mine.json");
  CHECK(folder_of("mine.json") == ".");
  CHECK(folder_of("/mine.json") == "/");
  CHECK(folder_of("a/b/mine.json") == "a/b");
}

TEST_CASE("links are followed to what they name, and a ring of them is left as it stands") {
  const Folder folder;
  const std::string file = folder.file("a", "text"), near = (folder.path / "near").string(),
                    far = (folder.path / "far").string(), ring = (folder.path / "ring").string();
  fs::create_symlink("a", near);
  fs::create_symlink(near, far);
  fs::create_symlink("ring", ring);
  CHECK(link_target(file) == file);
  CHECK(link_target(near) == file);
  CHECK(link_target(far) == file);
  CHECK(link_target(ring) == ring);
  CHECK(link_target((folder.path / "none").string()) == (folder.path / "none").string());
}
