package async_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Every rule from C1 to C56 is a test of runtime/ that is named after it.
func TestEveryRuleIsATest(t *testing.T) {
	files, err := filepath.Glob("../*/*_test.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	name, rule := regexp.MustCompile(`func Test((?:[AC]\d\d_)+)`), regexp.MustCompile(`C\d\d`)
	tested := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range name.FindAllSubmatch(text, -1) {
			for _, r := range rule.FindAll(f[1], -1) {
				tested[string(r)] = true
			}
		}
	}
	for i := 1; i <= 56; i++ {
		if r := fmt.Sprintf("C%02d", i); !tested[r] {
			t.Errorf("rule %s has no test", r)
		}
	}
}
