# Usage: cmake -DOUT=file.cc -DSOURCE=common_passwords.txt -P embed_common_passwords.cmake
file(STRINGS ${SOURCE} lines)
set(rows "")
foreach(line ${lines})
  if(NOT line MATCHES "^#")
    string(APPEND rows "    \"${line}\",\n")
  endif()
endforeach()
file(WRITE ${OUT} "#include \"vault/access/common_passwords.h\"

namespace coffer::vault {

std::span<const std::string_view> CommonPasswords() {
  static constexpr std::string_view kAll[] = {
${rows}  };
  return kAll;
}

}  // namespace coffer::vault
")
