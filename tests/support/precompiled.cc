// Compiled for its precompiled headers alone, which all test programs have in common
// (CMakeLists.txt).
int main() { return 0; }
