package plan

import "testing"

// What lies below a folder internal is for the packages around that folder, their
// tests included.
func TestImportable(t *testing.T) {
	for _, c := range []struct {
		path, from string
		want       bool
	}{
		{"example.com/a", "example.com/b", true},
		{"internal/abi", "example.com/a", false},
		{"internal", "example.com/a", false},
		{"example.com/a/internal", "example.com/a", true},
		{"example.com/a/internal/x", "example.com/a", true},
		{"example.com/a/internal/x", "example.com/a_test", true},
		{"example.com/a/internal/x", "example.com/a/b", true},
		{"example.com/a/internal/x", "example.com/ab", false},
		{"example.com/a/internal/x", "example.com", false},
		{"example.com/internal/x/internal/y", "example.com/a", false},
		{"example.com/internals/x", "example.org/a", true},
	} {
		if got := importable(c.path, c.from); got != c.want {
			t.Errorf("importable(%q, %q) = %v", c.path, c.from, got)
		}
	}
}
