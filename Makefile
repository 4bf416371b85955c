# README's two commands are `make demo` and `make test`; each sets up what it needs.

SHELL    := /bin/sh
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
export GOFLAGS := -trimpath -buildvcs=false
BUILD    := go build -ldflags '-X main.version=$(VERSION)'
PACKAGES := ca-certificates gcc libc6-dev pkg-config libpcsclite-dev pcscd
ORACLES  := openssl opensc pcsc-tools openpace libeac-dev libssl-dev libopenjp2-tools softhsm2 \
            poppler-utils tesseract-ocr zbar-tools \
            postgresql patroni etcd-server etcd-client haproxy iproute2 faketime
SOURCES  := $(shell git ls-files '*.go' 2>/dev/null)

ifneq ($(wildcard ../shared/vectors),)
export TAMTHE_VECTORS ?= $(abspath ../shared/vectors)
endif

# OSIA's published contracts, which are not part of this repository:
#   git clone https://github.com/SecureIdentityAlliance/osia .tamthe/osia
ifneq ($(wildcard .tamthe/osia/src/doc/yaml),)
export TAMTHE_OSIA ?= $(abspath .tamthe/osia/src/doc/yaml)
endif

.PHONY: demo test check bench fuzz soak setup build

demo: setup build ## set up, then issue, read and verify cards through a private pcscd
	.tamthe/tamthe demo

test: setup ## set up and run every test
	@.ci/setup $(ORACLES)
	@! grep -qs '^ID=debian' /etc/os-release || { .ci/setup chromium && .ci/browser; } || echo "test: no Chromium, so no page is looked at"
	@mkdir -p .tamthe
	@echo "test: go test ./..."
	@go test -json -timeout 20m ./... > .tamthe/test.json 2> .tamthe/test.err; s=$$?; \
	  cat .tamthe/test.err; .ci/summary .tamthe/test.json && exit $$s

check: ## what a change must pass besides the tests: format, vet, staticcheck, race, layers
	@test -z "$$(go run mvdan.cc/gofumpt@v0.12.0 -l .)" || { echo "gofumpt would change:"; go run mvdan.cc/gofumpt@v0.12.0 -l .; exit 1; }
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	@for p in linux/amd64 linux/arm64 windows/amd64 darwin/arm64 android/arm64; do \
	  echo "build: apdu, card and verify for $$p, without cgo"; \
	  CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} go build ./apdu ./apdu/tlv ./apdu/isodep ./card/... ./verify/... || exit 1; done
	go mod tidy -diff
	go test ./cmd/tamthe -run TestLayers -count=1
	go test -race -short -timeout 20m ./apdu/... ./card/sm ./card/gp ./card/virtual ./verify/... ./issuance/... ./cmd/...

bench: setup ## ratios to the raw cost; the last lines are the goals
	@go test -run '^$$' -bench . -benchtime 200ms ./... > .tamthe/bench.txt; .ci/goals .tamthe/bench.txt

fuzz: ## every fuzz target for FUZZTIME (60s), its memory bound by FUZZMEMORY (2 GiB)
	@for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep ^Fuzz); do \
	  echo "fuzz: $$p $$f"; GOMEMLIMIT=$${FUZZMEMORY:-2GiB} \
	  go test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-60s} -fuzzminimizetime 5s $$p || exit 1; done; done

soak: setup ## the long random and fault runs whose short form is in `make test`
	TAMTHE_SOAK=1 go test -timeout 12h -count=1 ./...

setup:
	@.ci/go
	@.ci/setup $(PACKAGES)

build: .tamthe/tamthe
.tamthe/tamthe: go.mod go.sum $(SOURCES)
	@mkdir -p .tamthe
	@echo "build: cmd/tamthe"
	@$(BUILD) -o $@ ./cmd/tamthe
