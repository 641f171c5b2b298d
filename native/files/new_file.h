// A file that is made beside another and takes its name once it is complete: nobody sees half of it, and
// whatever ends the command leaves nothing behind. For the main thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace irplan {

class NewFile {
 public:
  // None with errno where it cannot be made. Links are followed; the mode is that of the file it will
  // replace.
  static std::optional<NewFile> beside(const std::string& path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&& other) noexcept;
  ~NewFile();  // removed, unless it has its name

  int descriptor() const { return descriptor_; }
  // 0, or errno's reason.
  int close();
  // Gives it its name: 0, or errno's reason. With `keep`, a file that has the name by now is kept (EEXIST).
  int take_name(bool keep = false);

 private:
  NewFile(std::string target, std::string part, int descriptor)
      : target_(std::move(target)), part_(std::move(part)), descriptor_(descriptor) {}

  std::string target_;
  std::string part_;  // empty: it has its name
  int descriptor_ = -1;
};

// All of the bytes to an open file; 0, or errno's reason.
int write_all(int file, std::string_view bytes);

// SIGINT, SIGTERM and SIGHUP end the command with 130, 143 and 129, SIGQUIT, SIGPIPE and SIGXCPU as ever, and
// no new file stays behind. A signal that was ignored when the command began stays so (nohup); a file that
// may not grow is an error when it is written. Called once, by the main thread.
void watch_signals();
// What watch_signals() does on a signal; for another handler to end with.
void end_by_signal(int signal);

// Opens what is closed of stdin, stdout and stderr, so that no other file takes its number: reading and
// writing there is the error that it was.
void hold_standard_streams();

// Removes the new files that have no name yet; for a signal handler, or whoever ends the process at once.
void remove_new_files();

}  // namespace irplan
