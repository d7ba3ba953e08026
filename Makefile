# The two commands of the README, and the ones behind them.
CONFIGURATION ?= Release

.PHONY: build test format
build:
	dotnet build PiPub.sln -c $(CONFIGURATION) -v q

test:
	dotnet test PiPub.sln -v q

format:
	dotnet format PiPub.sln --verify-no-changes
