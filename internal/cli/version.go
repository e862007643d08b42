package cli

import (
	"runtime/debug"
	"strings"
)

// Version is that of the source: its release, which CHANGELOG.md has a section of.
const Version = "0.1.0"

// version is that of the program, as reports give it: of the tag that it was built at, or of the
// source and, after a plus sign, the commit. Go writes both into what it builds (go version -m), if
// it is built of a repository.
func version() string {
	info, known := debug.ReadBuildInfo()
	if !known {
		return Version
	}
	return versionOf(info)
}

// versionOf is the version of what was built so.
func versionOf(info *debug.BuildInfo) string {
	const shown = 12 // digits of a commit, as Go shows them
	tag, tagged := strings.CutPrefix(info.Main.Version, "v")
	// Of commits without a tag Go makes versions with two hyphens, or more.
	if tagged && strings.Count(tag, "-") < 2 && !strings.Contains(tag, "+") {
		return tag
	}
	commit, more := tag[strings.LastIndexByte(tag, '-')+1:], ""
	if !tagged || strings.Contains(commit, "+") {
		commit = ""
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			more = ".modified"
		}
	}
	if commit == "" {
		return Version
	}
	return Version + "+" + commit[:min(len(commit), shown)] + more
}

// ProgramVersion is what reports give as the version of the program.
func ProgramVersion() string { return version() }
