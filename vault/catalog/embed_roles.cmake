# Usage: cmake -DOUT=file.cc -DSOURCE=dir -P embed_roles.cmake
string(CONCAT text "#include \"vault/catalog/built_in_roles.h\"\n\nnamespace coffer::vault {\n\n"
  "const std::vector<BuiltInRole>& BuiltInRoleTexts() {\n"
  "  static const std::vector<BuiltInRole> roles = {\n")
file(GLOB files ${SOURCE}/*.json)
list(SORT files)
foreach(file ${files})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} json)
  string(APPEND text "    {\"${name}\", R\"json(${json})json\"},\n")
endforeach()
string(APPEND text "  };\n  return roles;\n}\n\n}  // namespace coffer::vault\n")
file(WRITE ${OUT} "${text}")
