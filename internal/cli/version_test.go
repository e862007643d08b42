package cli

import (
	"runtime/debug"
	"testing"
)

// TestVersion: tags and commits that Go has written into the program are its version.
func TestVersion(t *testing.T) {
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}}
	changed := append(commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	for _, tt := range []struct {
		name, main string
		settings   []debug.BuildSetting
		want       string
	}{
		{"nothing", "(devel)", nil, Version},
		{"a test", "", nil, Version},
		{"a tag", "v2.3.4", commit, "2.3.4"},
		{"a tag before a release", "v2.3.4-rc.1", commit, "2.3.4-rc.1"},
		{"a commit", "v0.0.0-20261130184035-0123456789ab", commit, Version + "+0123456789ab"},
		{"after a tag", "v2.3.5-0.20261130184035-0123456789ab", commit, Version + "+0123456789ab"},
		{"changed", "v2.3.4+dirty", changed, Version + "+0123456789ab.modified"},
		{"an old Go", "(devel)", commit, Version + "+0123456789ab"},
		{"a module", "v0.0.0-20261130184035-0123456789ab", nil, Version + "+0123456789ab"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: tt.main}, Settings: tt.settings}
		if got := versionOf(info); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
