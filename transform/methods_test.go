package transform

import (
	"go/types"
	"testing"

	"golang.org/x/tools/go/packages"
)

// The compiler makes a wrapper of each method of what a machine embeds, for each
// machine: it may have its own methods and what its builder needs, and no more.
func TestMachinesHaveFewMethods(t *testing.T) {
	loaded, err := packages.Load(&packages.Config{Dir: "..", Mode: packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps}, "./golden/copystream")
	if err != nil || len(loaded) != 1 || len(loaded[0].Errors) > 0 {
		t.Fatal(loaded, err)
	}
	machine := loaded[0].Types.Scope().Lookup("copyStreamMachine")
	methods := types.NewMethodSet(types.NewPointer(machine.Type()))
	inherited := 0
	for method := range methods.Methods() {
		if len(method.Index()) > 1 {
			inherited++
			t.Log(method.Obj().Name())
		}
	}
	if inherited == 0 || inherited > 11 {
		t.Errorf("a machine has %d methods from its builder, more than 11", inherited)
	}
}
