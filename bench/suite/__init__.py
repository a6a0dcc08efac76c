"""The measurements of ./bench.sh; see docs/performance.md."""
