"""Tests: sentences, tables and builders."""
