"""Tests of the simulated database beyond the contract: faults, books, memory, determinism."""
