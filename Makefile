# Two commands matter to a newcomer: make demo shows what this is, make test is
# what CI runs. Both need Go and a module proxy, nothing else.

# Packages with goroutines in them, or with promises about those.
concurrent := ./runtime/... ./cmd/tour/...

# Packages with generated code; staticcheck reads it as it reads an author's.
generated   = $(addprefix ./,$(sort $(dir $(shell find cmd golden runtime -name '*_async*.go' -not -path '*/testdata/*'))))
staticcheck = go run honnef.co/go/tools/cmd/staticcheck@v0.8.2

# What make demo copies.
FILE ?= bin/tour

.PHONY: build generate demo test fmt check vet race bench fuzz stress sim rules everything golden tidy

build: ## the commands, into bin/
	go build -o bin/ ./cmd/...

generate: ## what is compiled from //nothread:async, in the whole module
	go run ./cmd/nothread -v ./...

demo: ## the main job: annotate, generate, run on the simulated machine
	@printf '\n== Compile: functions marked //nothread:async become state machines beside their source\n\n'
	go build -o bin/ ./cmd/nothread
	bin/nothread -v ./cmd/tour
	bin/nothread check ./cmd/tour
	@wc -l cmd/tour/*_async.go
	go build -o bin/ ./cmd/tour
	@printf '\n== Write: a button click, hop by hop\n\n'
	bin/tour write
	@printf '\n== Copy: a real file through two simulated disks\n\n'
	@mkdir -p out
	bin/tour copy $(FILE) out/copy
	@printf '\n== Compare: what arrived is what was sent\n\n'
	cmp $(FILE) out/copy
	@printf 'equal, byte for byte: %s and out/copy, %s bytes\n' '$(FILE)' "$$(wc -c < out/copy | tr -d ' ')"

test: fmt check vet ## what CI runs
	go test ./...
	go test -race $(concurrent)

fmt: ## complains of files that gofmt would change
	@files=$$(gofmt -l $$(find . -name '*.go' -not -path '*/testdata/*')) || exit 1; \
	if [ -n "$$files" ]; then printf 'not as gofmt writes it:\n%s\n' "$$files"; exit 1; fi

check: ## complains of generated files that are stale, missing or orphaned
	go run ./cmd/nothread check ./...

vet:
	go vet ./...
	$(staticcheck) $(generated)

race:
	go test -race $(concurrent)

bench: ## what is promised of cost, beside peers: a table, and bin/bench.json
	go build -o bin/ ./cmd/bench
	bin/bench -json bin/bench.json

fuzz: ## random functions in both forms, compared, for FOR=10m from SEED=1 on
	go test ./transform/internal/fuzz -run 'TestFuzz$$' -v -timeout 0 -args -for $(or $(FOR),10m) -seed $(or $(SEED),1)

stress: ## a random mix of operations from 16 goroutines: none lost, none doubled; N=10000000 of them, with the race detector and, as cells end their phases otherwise there, without
	NOTHREAD_STRESS=$(or $(N),10000000) go test -race ./runtime/async -run TestStress -v -timeout 0
	NOTHREAD_STRESS=$(or $(N),10000000) go test ./runtime/async -run TestStress -v -timeout 0

sim: ## a mixed workload under all faults, over SEEDS=1000 seeds, each run twice
	go test ./runtime/sim -run TestMixed -v -timeout 0 -args -mixed.seeds=$(or $(SEEDS),1000)

rules: ## breaks each rule of the simulated machine once, and sees that its test fails
	go test ./runtime/kernel -run TestRulesAreTested -v -timeout 0 -args -break=all

everything: ## real packages and programs with awaits put in, by their own tests
	go test ./transform -run TestEverything -timeout 3h -args -all

golden: ## rewrites golden/ where the new code builds, vets, and does what is expected; inspect the diff
	go test ./transform -run TestGolden -update

tidy:
	go fmt ./...
	go mod tidy
